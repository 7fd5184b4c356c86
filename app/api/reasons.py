"""What the API says of single fields and of gates, in Kazakh, Russian and English: one row a code.

Rows hold no values of a caller: what they name in braces is a number, a state or a type.
"""

from typing import Final

from app.api.text import Text

FIELDS: Final[dict[str, Text]] = {
    "service": Text(
        "мұндай қызмет каталогта жоқ",
        "такой услуги в каталоге нет",
        "is not a service of the catalogue",
    ),
    "phone": Text("телефон оқылмады", "телефон не читается", "is not a phone"),
    "upload.long": Text("100 000 жолдан көп", "больше 100 000 строк", "has over 100 000 rows"),
    "upload.row": Text("жол тым ұзын", "строка слишком длинная", "has a row that is too long"),
    "upload.utf8": Text("UTF-8 емес", "не UTF-8", "is not UTF-8"),
    "upload.header": Text(
        "бірінші жолда iin және reference бағандары бір-бірден керек",
        "в первой строке нужны столбцы iin и reference, каждый один раз",
        "needs columns iin and reference in its first row, each once",
    ),
    "grants.header": Text(
        "бірінші жолда source_id, measure, iin және granted_at бағандары бір-бірден керек",
        "в первой строке нужны столбцы source_id, measure, iin и granted_at, каждый один раз",
        "needs columns source_id, measure, iin and granted_at in its first row, each once",
    ),
    "upload.quotes": Text("тырнақша жабылмаған", "кавычки не закрыты", "has a quote left open"),
    "upload.cells": Text(
        "ұяшықтар саны бағандармен тең емес",
        "число ячеек не равно числу столбцов",
        "has not as many cells as there are columns",
    ),
    "upload.json": Text(
        "әр атауы бір рет аталған JSON нысаны емес",
        "не объект JSON, в котором каждое имя дано один раз",
        "is not a JSON object with each name once",
    ),
    "future": Text("болашақ уақыт керек", "нужно будущее время", "must lie in the future"),
    "repeated": Text("қайталанған", "повторено", "is given more than once"),
    "past": Text("өткен уақыт керек", "нужно прошедшее время", "must not lie in the future"),
    "measure": Text("мұндай шара жоқ", "такой меры нет", "is not a measure of the catalogue"),
    "amount": Text(
        "0-ден 10 миллиардқа дейін теңге, екі ондық таңба",
        "от 0 до 10 миллиардов тенге, два знака после запятой",
        "0 to 10 000 000 000 tenge with at most two decimal places",
    ),
    "grant.what": Text(
        "сома немесе түрі керек", "нужны сумма или вид", "needs an amount or a kind"
    ),
    "grant.corrects": Text(
        "мұндай есеп жазбасы жоқ", "такой записи учёта нет", "is no account of a grant of yours"
    ),
    "grant.another": Text(
        "бұл нөмірде басқа мәліметтер бар",
        "под этим номером учтено другое",
        "was accounted for with other facts; a correction is an entry of its own",
    ),
    "system.agreement": Text(
        "үшінші жүйеге келісім мен оның соңғы күні керек",
        "третьей системе нужны соглашение и его последний день",
        "a third system needs an agreement and its last day",
    ),
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
    "gate.measure_known.missing": Text(
        "Мұндай қолдау шарасы каталогта жоқ.",
        "Такой меры поддержки в каталоге нет.",
        "The catalogue has no such measure of support.",
    ),
    "gate.measure_in_force.not-today": Text(
        "Қолдау шарасы бүгін қолданыста емес.",
        "Мера поддержки сегодня не действует.",
        "The measure of support is not in force today.",
    ),
    "gate.recipient_kind.not-individual": Text(
        "Қолдау шаралары тек жеке тұлғаларға арналған.",
        "Меры поддержки предназначены только для физических лиц.",
        "Measures of support are for individuals only.",
    ),
    "gate.wallet_notice.missing": Text(
        "Бұл адамға шара туралы «әлеуметтік әмиян» арқылы хабарланбаған.",
        "Об этой мере человек не уведомлён через «социальный кошелёк».",
        "The person was not told of the measure through the social wallet.",
    ),
    "gate.wallet_accounting.missing": Text(
        "Шара «әлеуметтік әмиянда» есепке алынбаған.",
        "Мера не учтена в «социальном кошельке».",
        "The measure was not accounted for in the social wallet.",
    ),
    "gate.agreement.ended": Text(
        "Ведомствоаралық келісімнің мерзімі өтті.",
        "Срок межведомственного соглашения истёк.",
        "The inter-agency agreement has ended.",
    ),
    "gate.agreement.scope": Text(
        "Ведомствоаралық келісім бұған рұқсат бермейді.",
        "Межведомственное соглашение этого не разрешает.",
        "The inter-agency agreement does not allow this.",
    ),
    "gate.reply_window.closed": Text(
        "24 сағат ішінде жауап болмады, ұсыныс жойылды; ХҚКО-ға жеке жүгініңіз.",
        "За 24 часа ответа не было, предложение аннулировано; обратитесь лично в ЦОН.",
        "The 24 hours are over and the offer is annulled; please apply in person.",
    ),
    "gate.reply_window.consent-closed": Text(
        "Сұраққа жауап беру мерзімі өтті.",
        "Время для ответа на этот вопрос вышло.",
        "The time for an answer to this question is over.",
    ),
    "gate.already_open.same-service": Text(
        "Осы алушыға осы қызмет бойынша ашық ұсыныс бар.",
        "У получателя уже есть открытое предложение этой услуги.",
        "The recipient already has an open offer of this service.",
    ),
}

INVALID: Final = "invalid"
"""The `gate` of a batch's row that no gate saw, because its data are not valid."""
