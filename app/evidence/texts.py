"""The words of the readable case file, in Kazakh and Russian; Kazakh stands first."""

from typing import Final

from app.catalogue.model import Bilingual

TITLE: Final = Bilingual("Істің материалдары", "Материалы дела")
ABOUT: Final = Bilingual("Іс туралы", "О деле")
HISTORY: Final = Bilingual("Журнал", "Журнал")
SEALS: Final = Bilingual("Күндік мөрлер", "Суточные печати")
CHECKING: Final = Bilingual("Қалай тексеруге болады", "Как проверить")
NO_SEALS: Final = Bilingual(
    "Бұл іс бойынша мөр әлі қойылған жоқ: тәулік аяқталғаннан кейін қойылады.",
    "Печати по этому делу ещё нет: она ставится после окончания суток.",
)
CHECK_WORDS: Final = Bilingual(
    "Әр жазбаның хэші – алдыңғы хэш пен жазба мәтінінің SHA-256 мәні; тізбек 32 нөлдік байттан "
    "басталады. Мөр күннің барлық істерін Меркл ағашымен (RFC 9162) біріктіреді және Ed25519 "
    "кілтімен қол қойылады. Осы файлды кез келген компьютерде тексеруге болады: "
    "jauap journal verify --file ФАЙЛ --public-key КІЛТ.",
    "Хэш каждой записи – SHA-256 от предыдущего хэша и текста записи; цепочка начинается с 32 "
    "нулевых байтов. Печать объединяет все дела суток деревом Меркла (RFC 9162) и подписана "
    "ключом Ed25519. Этот файл проверяется на любом компьютере: "
    "jauap journal verify --file ФАЙЛ --public-key КЛЮЧ.",
)
CLAUSES: Final = Bilingual(
    "155/НҚ бұйрығы, 6-тармақ; 292/НҚ бұйрығы, 14-тармақ",
    "Приказ 155/НҚ, пункт 6; приказ 292/НҚ, пункт 14",
)

COLUMNS: Final = {
    "seq": Bilingual("№", "№"),
    "at": Bilingual("Уақыты (Алматы)", "Время (Алматы)"),
    "what": Bilingual("Оқиға", "Событие"),
    "said": Bilingual("Айтылғаны", "Сказано"),
    "facts": Bilingual("Деректер", "Сведения"),
    "hash": Bilingual("Хэш (SHA-256)", "Хэш (SHA-256)"),
    "day": Bilingual("Күні", "День"),
    "number": Bilingual("Мөр", "Печать"),
    "covers": Bilingual("Жазбалар", "Записи"),
    "key": Bilingual("Кілт", "Ключ"),
}
OFFER: Final = {
    "id": Bilingual("Іс нөмірі", "Номер дела"),
    "reference": Bilingual("Көрсетушінің нөмірі", "Номер услугодателя"),
    "service": Bilingual("Қызмет", "Услуга"),
    "state": Bilingual("Күйі", "Состояние"),
    "created_at": Bilingual("Жасалды", "Создано"),
    "sent_at": Bilingual("Жіберілді", "Отправлено"),
    "received_at": Bilingual("Алынды", "Получено"),
    "deadline": Bilingual("Жауап күтудің соңы", "Конец срока ответа"),
    "closed_at": Bilingual("Жабылды", "Закрыто"),
    "answered_by": Bilingual("Жауап арнасы", "Канал ответа"),
    "result": Bilingual("Нәтижесі", "Результат"),
    "language": Bilingual("Тілі", "Язык"),
    "exported_at": Bilingual("Шығарылды", "Выгружено"),
}
KINDS: Final = {
    "made": Bilingual("Ұсыныс жасалды", "Предложение создано"),
    "submitted": Bilingual("Сұрау салу желіге берілді", "Запрос передан в сеть"),
    "submitted-again": Bilingual("Сұрау салу желіге қайта берілді", "Запрос снова передан в сеть"),
    "returned": Bilingual("Желі қабылдамады, кезекке қайтты", "Сеть не приняла, возвращено"),
    "received": Bilingual("Сұрау салуды абонент алды", "Запрос получен абонентом"),
    "received-later": Bilingual("Кейінірек алынғаны расталды", "Подтверждено более позднее"),
    "gate-failed": Bilingual("Шарт орындалмады, тоқтатылды", "Условие нарушено, остановлено"),
    "not-delivered": Bilingual("Жеткізілмеді", "Не доставлено"),
    "message-delivered": Bilingual("Хабарлама жеткізілді", "Сообщение доставлено"),
    "message-failed": Bilingual("Хабарлама жеткізілмеді", "Сообщение не доставлено"),
    "message-answered-late": Bilingual(
        "Желі хабарламаны кеш растады", "Сеть подтвердила сообщение с опозданием"
    ),
    "message-unknown": Bilingual("Хабарламаның тағдыры белгісіз", "Судьба сообщения неизвестна"),
    "message-sent-again": Bilingual("Хабарлама қайта жіберілді", "Сообщение послано повторно"),
    "yes": Bilingual("Келісті", "Согласие"),
    "no": Bilingual("Бас тартты", "Отказ"),
    "stopped": Bilingual("Ұсыныс алғысы келмейді", "Просит не присылать предложений"),
    "wrong_person": Bilingual("Нөмір басқа адамдікі", "Номер другого человека"),
    "heard-unclear": Bilingual("Жауап түсініксіз, қайта сұралды", "Ответ неясен, переспросили"),
    "heard-silent": Bilingual("Жауап тағы түсініксіз", "Ответ снова неясен"),
    "heard-help": Bilingual("Көмек сұрады", "Просит помощи"),
    "heard-language": Bilingual("Тіл таңдады", "Выбрал язык"),
    "heard-start": Bilingual("Ұсыныстарды қайта алғысы келеді", "Снова согласен получать"),
    "heard-early": Bilingual(
        "Сұрақ жеткені белгісіз, қайта сұралды", "Получен ли вопрос, неизвестно, переспросили"
    ),
    "heard-late": Bilingual("Мерзім өткен соң жауап келді", "Ответ после срока"),
    "heard-after-the-end": Bilingual("Іс жабылған соң жазды", "Написал после закрытия"),
    "language-chosen": Bilingual("Тіл таңдады", "Выбрал язык"),
    "lapsed": Bilingual("Мерзім жауапсыз өтті", "Срок истёк без ответа"),
    "withdrawn": Bilingual("Көрсетуші қайтарып алды", "Отозвано услугодателем"),
    "consent-revoked": Bilingual("Келісім кері қайтарылды", "Согласие на сбор данных отозвано"),
    "rendered": Bilingual("Қызмет көрсетілді", "Услуга оказана"),
    "refused": Bilingual("Қызметтен бас тартылды", "В услуге отказано"),
    "erased": Bilingual(
        "Жеке мәтін сақтау мерзімі бойынша өшірілді", "Личный текст стёрт по сроку хранения"
    ),
}
