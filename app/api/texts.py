"""What the API says when it refuses, in Kazakh, Russian and English: one table, one row a code.

Rows hold no values of a caller: what they name in braces is a number, a state or a type.
"""

from dataclasses import dataclass
from typing import Final

from app.api.reasons import FIELDS, GATES, INVALID
from app.api.text import DEFAULT, LANGUAGES, Text

__all__ = ["DEFAULT", "FIELDS", "GATES", "INVALID", "KINDS", "LANGUAGES", "Kind", "Text"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status and what is said of it."""

    status: int
    title: Text
    detail: Text


KINDS: Final[dict[str, Kind]] = {
    "malformed": Kind(
        400,
        Text("JSON оқылмады", "JSON не читается", "Malformed JSON"),
        Text(
            "Сұраудың денесі UTF-8 кодындағы JSON болуы тиіс.",
            "Тело запроса должно быть JSON в UTF-8.",
            "The body must be JSON in UTF-8.",
        ),
    ),
    "not_http": Kind(
        400,
        Text("HTTP емес", "Это не HTTP", "Not HTTP"),
        Text(
            "Келгені HTTP/1.1 сұрауы емес немесе мекенжайы тым ұзын.",
            "Пришедшее не запрос HTTP/1.1, или адрес слишком длинный.",
            "What came is not HTTP/1.1, or its address is too long.",
        ),
    ),
    "unauthenticated": Kind(
        401,
        Text("Кілт керек", "Нужен ключ", "A key is needed"),
        Text(
            "Authorization: Bearer тақырыбында жарамды кілт немесе токен жоқ.",
            "В заголовке Authorization: Bearer нет действующего ключа или токена.",
            "The Authorization: Bearer header holds no valid key or token.",
        ),
    ),
    "forbidden": Kind(
        403,
        Text("Рұқсат жоқ", "Нет права", "Not allowed"),
        Text(
            "Кілттің құқығы жетпейді, мыналардың бірі керек: {scopes}.",
            "Ключу не хватает права, нужно одно из: {scopes}.",
            "The key lacks the scope; one of these is needed: {scopes}.",
        ),
    ),
    "not_found": Kind(
        404,
        Text("Табылмады", "Не найдено", "Not found"),
        Text(
            "Бұл мекенжайда ештеңе жоқ немесе ол басқаға тиесілі.",
            "По этому адресу ничего нет, или оно принадлежит другому.",
            "There is nothing at this address, or it belongs to another.",
        ),
    ),
    "method": Kind(
        405,
        Text("Әдіс қолданылмайды", "Метод не применяется", "Method not allowed"),
        Text(
            "Бұл мекенжайдың әдістері: {methods}.",
            "Методы этого адреса: {methods}.",
            "The methods of this address: {methods}.",
        ),
    ),
    "duplicate_reference": Kind(
        409,
        Text("Нөмір қайталанды", "Номер повторён", "Reference repeated"),
        Text(
            "Бұл reference бұрын қолданылған; әр ұсынысқа өз нөмірі керек.",
            "Этот reference уже использован; каждому предложению нужен свой.",
            "This reference has been used before; every offer needs its own.",
        ),
    ),
    "wallet_condition": Kind(
        409,
        Text("Әмиян шарты орындалмаған", "Условие кошелька не выполнено", "Not yet in the wallet"),
        Text(
            "Басқа жүйе арқылы көрсету аяқталмайды: gate пен clause қараңыз.",
            "Оказание через другую систему не завершить: см. gate и clause.",
            "A rendering through another system cannot be closed: see gate and clause.",
        ),
    ),
    "agreement": Kind(
        403,
        Text("Келісім жол бермейді", "Соглашение не позволяет", "Outside the agreement"),
        Text(
            "Ведомствоаралық келісім бойынша рұқсат жоқ: clause қараңыз.",
            "По межведомственному соглашению доступа нет: см. clause.",
            "The inter-agency agreement gives no access: see clause.",
        ),
    ),
    "conflict": Kind(
        409,
        Text("Деректер сәйкес емес", "Данные расходятся", "The accounts differ"),
        Text(
            "Бұл нөмірмен басқа мәліметтер есепке алынған; түзету жаңа жазбамен жасалады.",
            "Под этим номером учтено другое; исправление делается новой записью.",
            "This id was accounted for with other facts; correct it by a new entry.",
        ),
    ),
    "state": Kind(
        409,
        Text("Күйі мүмкіндік бермейді", "Состояние не позволяет", "The state does not allow it"),
        Text(
            "Ұсыныстың күйі {state}, бұл күйде мұны істеуге болмайды.",
            "Предложение в состоянии {state}, в нём это невозможно.",
            "The offer is {state}, and in that state this cannot be done.",
        ),
    ),
    "answered": Kind(
        409,
        Text("Жауап берілген", "Ответ уже дан", "Answered before"),
        Text(
            "Бірінші жауап күшінде: {answer}. Өзгерту үшін 1414 нөміріне хабарласыңыз.",
            "Действует первый ответ: {answer}. Чтобы изменить его, обратитесь по номеру 1414.",
            "The first answer stands: {answer}. To change it, call 1414.",
        ),
    ),
    "too_late": Kind(
        409,
        Text("Мерзім өтті", "Срок истёк", "Too late"),
        Text(
            "Жауап беру мерзімі өткен: clause қараңыз.",
            "Срок ответа истёк: см. clause.",
            "The time for an answer is over: see clause.",
        ),
    ),
    "idempotency_running": Kind(
        409,
        Text("Бірінші сұрау орындалуда", "Первый запрос ещё идёт", "The first is still running"),
        Text(
            "Осы Idempotency-Key бар алғашқы сұрау әлі аяқталған жоқ; сәлден соң қайталаңыз.",
            "Первый запрос с этим Idempotency-Key ещё не закончен; повторите чуть позже.",
            "The first one with this Idempotency-Key has not ended yet; repeat it a little later.",
        ),
    ),
    "too_large": Kind(
        413,
        Text("Тым үлкен", "Слишком велико", "Too large"),
        Text(
            "Сұраудың денесі {limit} байттан аспауы тиіс.",
            "Тело запроса не должно превышать {limit} байт.",
            "The body must not exceed {limit} bytes.",
        ),
    ),
    "media_type": Kind(
        415,
        Text("Түрі сәйкес емес", "Тип не подходит", "Unsupported media type"),
        Text(
            "Content-Type мыналардың бірі болуы тиіс: {types}.",
            "Content-Type должен быть одним из: {types}.",
            "The Content-Type must be one of: {types}.",
        ),
    ),
    "campaign_state": Kind(
        409,
        Text("Күйі мүмкіндік бермейді", "Состояние не позволяет", "The state does not allow it"),
        Text(
            "Науқанның күйі {state}, бұл күйде мұны істеуге болмайды.",
            "Кампания в состоянии {state}, в нём это невозможно.",
            "The campaign is {state}, and in that state this cannot be done.",
        ),
    ),
    "upload_used": Kind(
        409,
        Text("Файл қолданылған", "Файл уже использован", "Upload used before"),
        Text(
            "Бұл файл бойынша науқан бар; әр науқанға өз файлы керек.",
            "По этому файлу уже есть кампания; каждой кампании нужен свой файл.",
            "There is a campaign of this upload; every campaign needs its own.",
        ),
    ),
    "invalid": Kind(
        422,
        Text("Деректер жарамсыз", "Данные не годятся", "Invalid data"),
        Text(
            "Кейбір өрістер жарамсыз, олар errors ішінде аталған.",
            "Некоторые поля не годятся, они названы в errors.",
            "Some fields are not valid; errors names them.",
        ),
    ),
    "idempotency_reused": Kind(
        422,
        Text("Кілт қайталанды", "Ключ повторён", "Idempotency key reused"),
        Text(
            "Осы Idempotency-Key басқа сұрауға қолданылған.",
            "Этот Idempotency-Key уже использован для другого запроса.",
            "This Idempotency-Key was used for another body or address.",
        ),
    ),
    "refused": Kind(
        422,
        Text("Құқық нормасы жол бермейді", "Норма права не допускает", "Refused by a rule of law"),
        Text(
            "Ұсыныс жасауға болмайды: gate пен clause қараңыз.",
            "Предложение сделать нельзя: см. gate и clause.",
            "The offer cannot be made: see gate and clause.",
        ),
    ),
    "too_many": Kind(
        429,
        Text("Тым жиі", "Слишком часто", "Too many at once"),
        Text(
            "Retry-After көрсеткен секундтан кейін қайталаңыз.",
            "Повторите через столько секунд, сколько указано в Retry-After.",
            "Repeat after the seconds that Retry-After gives.",
        ),
    ),
    "head_too_large": Kind(
        431,
        Text("Тақырыптар тым үлкен", "Заголовки слишком велики", "Headers too large"),
        Text(
            "Сұраудың тақырыптары {limit} байттан аспауы тиіс.",
            "Заголовки запроса не должны превышать {limit} байт.",
            "The headers must not exceed {limit} bytes.",
        ),
    ),
    "failed": Kind(
        500,
        Text("Біздің қате", "Наша ошибка", "Our fault"),
        Text(
            "Ештеңе сақталған жоқ. Бізге X-Correlation-ID мәнін айтыңыз.",
            "Ничего не сохранено. Сообщите нам значение X-Correlation-ID.",
            "Nothing was stored. Tell us the value of X-Correlation-ID.",
        ),
    ),
    "unavailable": Kind(
        503,
        Text("Уақытша қолжетімсіз", "Временно недоступно", "Unavailable for now"),
        Text(
            "Ештеңе сақталған жоқ; Retry-After көрсеткен секундтан кейін қайталаңыз.",
            "Ничего не сохранено; повторите через столько секунд, сколько в Retry-After.",
            "Nothing was stored; repeat after the seconds that Retry-After gives.",
        ),
    ),
}
