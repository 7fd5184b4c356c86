"""How many replies a second one core understands."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from dialogs.engine.understanding import SHORT, understand

# What people write, plain and not: the rule that decides stands early for some, late for others.
REPLIES = (
    *("1", "2", "иә", "жоқ", "да", "нет", "Иә, келісемін", "Нет, спасибо", "келисемин", "жок"),
    *("kelisemin", "joq", "zhok kerek emes", "da soglasen", "net ne nado", "да не надо", "👍"),
    *("Согласна, оформляйте пожалуйста", "Бас тартамын", "не против", "қарсы емеспін"),
    *("Ойланамын", "1 или 2?", "рахмет", "а это платно?", "если бесплатно то да", "стоп", "?"),
    *("Мама согласна", "вы ошиблись номером", "Сәлеметсіз бе, мен келісімімді беремін, рахмет"),
    *("что это", "қазақша", "По-русски пожалуйста", "да да да", "нееет", "Кейін жазамын"),
)
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Pace:
    """Replies understood in a second of one core; the best of a few rounds."""

    work: str
    replies: int
    replies_per_s: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(n: int) -> Pace:
    """Understands `n` replies a round. Each is another text and a long one, so that nothing can be
    remembered."""
    blanks = range(SHORT, SHORT + 97)
    texts = [
        REPLIES[i % len(REPLIES)] + " " * blanks[i // len(REPLIES) % len(blanks)] for i in range(n)
    ]
    for text in texts[: len(REPLIES)]:
        understand(text)
    best = 0.0
    for _ in range(ROUNDS):
        begun = time.process_time()
        for text in texts:
            understand(text)
        best = max(best, n / (time.process_time() - begun))
    return Pace("understand", n, round(best))
