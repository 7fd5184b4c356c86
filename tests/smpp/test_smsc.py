"""The simulated SMSC's manners on the wire, good and, on purpose, bad."""

from smpp import pdu
from smpp.pdu import Command, Status
from smpp.simulator import Simulator
from tests.smpp.journey import Esme, commands, journey


def test_a_wrong_name_and_a_wrong_password_are_told_apart() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        other = await Esme(smsc.port).connect()
        assert (await other.bind(password="guess")).status == Status.ESME_RINVPASWD
        stranger = pdu.pack_bind(
            Command.BIND_TRANSMITTER, other.next(), pdu.BindFields("other", "secret")
        )
        assert (await other.asked(stranger)).status == Status.ESME_RINVSYSID
        other.submit("+77011234567")
        assert (await other.response(3)).status == Status.ESME_RINVBNDSTS
        assert (await esme.bind()).status == Status.ESME_RALYBND
        await other.close()

    journey(script)


def test_housekeeping_is_answered() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        alive = await esme.asked(pdu.pack(Command.ENQUIRE_LINK, esme.next()))
        assert alive.command == Command.ENQUIRE_LINK_RESP
        odd = await esme.asked(pdu.pack(Command.CANCEL_SM, esme.next()))
        assert (odd.command, odd.status) == (Command.GENERIC_NACK, Status.ESME_RINVCMDID)
        cut = await esme.asked(pdu.pack(Command.SUBMIT_SM, esme.next(), 0, b"\0\1"))
        assert cut.status == Status.ESME_RINVCMDLEN
        esme.submit("+1414")
        assert (await esme.response(5)).status == Status.ESME_RINVDSTADR
        gone = await esme.asked(pdu.pack(Command.UNBIND, esme.next()))
        assert gone.command == Command.UNBIND_RESP
        assert not smsc.is_bound

    journey(script)


def test_a_stream_out_of_step_is_closed() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.write(b"\xff" * 16)
        await smsc.until(lambda: not smsc.is_bound)
        assert commands(esme)[-1] == Command.GENERIC_NACK

    journey(script)
