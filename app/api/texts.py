"""What the API says when it refuses, in Kazakh, Russian and English: one table, one row a code.

Rows hold no values of a caller: what they name in braces is a number, a state or a type.
"""

from dataclasses import dataclass
from typing import Final

LANGUAGES: Final = ("kk", "ru", "en")
DEFAULT: Final = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One text in the three languages; `{name}` is filled in by `in_language`."""

    kk: str
    ru: str
    en: str

    def in_language(self, language: str, **values: object) -> str:
        """The text in "kk", "ru" or "en"."""
        template: str = getattr(self, language)
        return template.format(**values)


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

FIELDS: Final[dict[str, Text]] = {
    "service": Text(
        "мұндай қызмет каталогта жоқ",
        "такой услуги в каталоге нет",
        "is not a service of the catalogue",
    ),
    "phone": Text("телефон оқылмады", "телефон не читается", "is not a phone"),
    "missing": Text("керек", "обязательно", "is required"),
    "unknown": Text("мұндай өріс жоқ", "такого поля нет", "is not a field here"),
    "type": Text(
        "{found} табылды, {expected} күтілді",
        "найдено {found}, ожидалось {expected}",
        "found {found}, expected {expected}",
    ),
    "form": Text("күтілгені: {expected}", "ожидалось: {expected}", "expected {expected}"),
    "choice": Text(
        "рұқсат етілген мәндердің бірі емес",
        "не одно из допустимых значений",
        "is not one of the allowed values",
    ),
    "time": Text(
        "белдеуі бар уақыт керек, мысалы 2026-01-31T09:00:00Z",
        "нужно время с поясом, например 2026-01-31T09:00:00Z",
        "expected a time with a zone, such as 2026-01-31T09:00:00Z",
    ),
    "value": Text("мәні жарамсыз", "значение не годится", "is not a valid value"),
    "account.list": Text(
        "тізім тек accounts өрісінде болады",
        "список допустим только в поле accounts",
        "may be a list only in accounts",
    ),
    "account.unasked": Text(
        "бұл қызмет шотты сұрамайды",
        "эта услуга не спрашивает счёт",
        "this service asks for no account",
    ),
    "account.count": Text(
        "1-ден 8-ге дейін шот атауы бар тізім керек",
        "нужен список из 1–8 названий счетов",
        "must be a list of 1 to 8 labels of accounts",
    ),
    "account.label": Text(
        "көрінетін 1–24 таңба, сілтемесіз бір жол керек",
        "нужна одна строка из 1–24 видимых знаков, без ссылки",
        "must be one line of 1 to 24 visible characters without a link",
    ),
    "account.digits": Text(
        "шоттың соңғы 4 цифрынан артық болмауы тиіс",
        "не больше последних 4 цифр счёта",
        "must not show more than the last 4 digits of an account",
    ),
    "account.twice": Text(
        "бұл атау тізімде бұрын бар",
        "это название уже есть в списке",
        "is in the list before",
    ),
    "iin.digits": Text(
        "ЖСН тек цифрлардан тұрады",
        "ИИН состоит только из цифр",
        "an IIN consists of digits only",
    ),
    "iin.length": Text("ЖСН 12 цифрдан тұрады", "в ИИН 12 цифр", "an IIN has 12 digits"),
    "iin.control-digit": Text(
        "ЖСН бақылау цифры сәйкес емес",
        "контрольная цифра ИИН не сходится",
        "the control digit of the IIN does not fit",
    ),
    "phone.not-a-number": Text(
        "телефон нөмірі емес", "это не номер телефона", "is not a phone number"
    ),
    "phone.landline": Text(
        "бұл нөмірге SMS келмейді",
        "на этот номер SMS не приходят",
        "takes no SMS: it is not a mobile number",
    ),
    "phone.foreign": Text(
        "Қазақстанның нөмірі емес", "не номер Казахстана", "is not a number of Kazakhstan"
    ),
    "phone.short-code": Text(
        "қысқа нөмір телефон емес",
        "короткий номер — не телефон человека",
        "is a short code, not a person's phone",
    ),
    "dates.order": Text(
        "келісімнің аяқталуы берілуінен бұрын",
        "согласие кончается раньше, чем дано",
        "the consent ends before it was given",
    ),
    "dates.range": Text(
        "жылы 1900 мен 2199 аралығында болуы тиіс",
        "год должен быть от 1900 до 2199",
        "the year must be from 1900 to 2199",
    ),
    "cursor": Text(
        "алдыңғы бет берген next мәні керек",
        "нужно значение next предыдущей страницы",
        "expected the `next` of the page before",
    ),
    "idempotency_key": Text(
        "1-255 көрінетін ASCII таңбасы керек",
        "нужно 1–255 видимых знаков ASCII",
        "expected 1 to 255 visible ASCII characters",
    ),
    "url.form": Text(
        "аты-құпиясөзсіз және #-сіз толық http(s) мекенжайы керек",
        "нужен полный адрес http(s) без имени, пароля и #",
        "expected a complete http(s) address without a name, password or #",
    ),
    "url.https": Text(
        "өндірісте тек https", "в эксплуатации только https", "only https in production"
    ),
    "url.unresolved": Text(
        "бұл атау бойынша мекенжай табылмады",
        "по этому имени адрес не найден",
        "no address was found for this name",
    ),
    "url.private": Text(
        "жеке желі мекенжайларына жіберілмейді",
        "на адреса частных сетей не отправляем",
        "we do not send to addresses of private networks",
    ),
    "secret.short": Text(
        "өндірісте кемінде 16 таңба керек",
        "в эксплуатации нужно не менее 16 знаков",
        "at least 16 characters in production",
    ),
}

GATES: Final[dict[str, Text]] = {
    "gate.service_proactive.unknown": Text(
        "Мұндай қызмет тізілімде жоқ.",
        "Такой услуги в каталоге нет.",
        "The catalogue has no such service.",
    ),
    "gate.service_proactive.on-application": Text(
        "Бұл қызмет тек өтініш бойынша көрсетіледі.",
        "Эта услуга оказывается только по заявлению.",
        "This service is rendered on application only.",
    ),
    "gate.service_in_force.not-today": Text(
        "Қызметтің заңға тәуелді актісі бүгін оны ұсынуға мүмкіндік бермейді.",
        "Подзаконный акт услуги сегодня не позволяет её предлагать.",
        "The by-law of the service does not allow to offer it today.",
    ),
    "gate.recipient_kind.state-body": Text(
        "Мемлекеттік орган қызмет алушы бола алмайды.",
        "Государственный орган не может быть услугополучателем.",
        "A state body cannot be a recipient.",
    ),
    "gate.recipient_kind.not-this-service": Text(
        "Қызмет мұндай алушыларға арналмаған.",
        "Услуга не для таких получателей.",
        "The service is not for this kind of recipient.",
    ),
    "gate.phone_registered.missing": Text(
        "Алушының порталда тіркелген телефоны жоқ.",
        "У получателя нет телефона, зарегистрированного на портале.",
        "The recipient has no phone registered on the portal.",
    ),
    "gate.consent_given.missing": Text(
        "Дербес деректерді өңдеуге келісім жоқ.",
        "Нет согласия на обработку персональных данных.",
        "There is no consent to the processing of personal data.",
    ),
    "gate.consent_given.revoked": Text(
        "Дербес деректерді өңдеуге келісім кері қайтарылған.",
        "Согласие на обработку персональных данных отозвано.",
        "The consent to the processing of personal data was revoked.",
    ),
    "gate.consent_given.ended": Text(
        "Дербес деректерді өңдеуге келісімнің мерзімі өткен.",
        "Срок согласия на обработку персональных данных истёк.",
        "The consent to the processing of personal data has ended.",
    ),
    "gate.phone_reachable.not-mobile": Text(
        "Алушының телефоны ұялы емес.",
        "Телефон получателя не мобильный.",
        "The recipient's phone is not a mobile one.",
    ),
    "gate.phone_reachable.sms-off": Text(
        "Алушыға SMS жіберілмейді: ол бас тартқан немесе нөмір басқа адамдікі.",
        "Получателю не шлют SMS: он отказался, или номер принадлежит другому.",
        "The recipient is sent no SMS: they opted out, or the phone is another's.",
    ),
    "gate.phone_reachable.not-in-team": Text(
        "Бұл кілт тек топтың тізімдегі телефондарына жібереді.",
        "Этот ключ шлёт только на телефоны из списка команды.",
        "This key reaches only the phones that its team listed.",
    ),
    "gate.phone_reachable.not-simulated": Text(
        "Сынақ кілті тек симулятордың +7 700 000 нөмірлеріне жібереді.",
        "Тестовый ключ шлёт только на номера симулятора +7 700 000.",
        "A test key reaches only the simulator's phones, +7 700 000.",
    ),
    "gate.phone_reachable.no-receipts": Text(
        "Желі жеткізу туралы хабарламайды, сондықтан 24 сағатты есептеу мүмкін емес.",
        "Сеть не сообщает о доставке, поэтому 24 часа не отсчитать.",
        "The network reports no delivery, so the 24 hours cannot be counted.",
    ),
    "gate.reply_window.closed": Text(
        "24 сағат ішінде жауап болмады, ұсыныс жойылды; ХҚКО-ға жеке жүгініңіз.",
        "За 24 часа ответа не было, предложение аннулировано; обратитесь лично в ЦОН.",
        "The 24 hours are over and the offer is annulled; please apply in person.",
    ),
    "gate.already_open.same-service": Text(
        "Осы алушыға осы қызмет бойынша ашық ұсыныс бар.",
        "У получателя уже есть открытое предложение этой услуги.",
        "The recipient already has an open offer of this service.",
    ),
}

INVALID: Final = "invalid"
"""The `gate` of a batch's row that no gate saw, because its data are not valid."""
