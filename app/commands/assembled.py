"""Every command, put together."""

import typer

from app.commands import (
    administering,
    benchmarking,
    charting,
    demonstrating,
    evidence,
    explaining,
    networks,
    outages,
    retaining,
    running,
    simulating,
    talking,
    tokens,
    wallet,
)

app = typer.Typer(
    name="jauap",
    help="Asks a citizen by SMS whether the state should render a service; one lawful outcome.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(running.up)
app.command("web")(running.web)
app.command("gateway")(running.gateway)
app.command("worker")(running.worker)
app.command("demo")(demonstrating.demo)
app.command("check-config")(administering.check_config)
app.command("migrate")(administering.migrate)
app.command("token")(tokens.token)
app.command("talk")(talking.talk)
app.command("simulate")(simulating.simulate)
app.command("chart")(charting.chart)
app.add_typer(administering.keys, name="keys")
app.add_typer(networks.binds, name="binds")
app.add_typer(outages.planned, name="outages")
app.add_typer(evidence.journal, name="journal")
app.add_typer(evidence.case, name="case")
app.add_typer(retaining.retention, name="retention")
app.add_typer(explaining.replies, name="replies")
app.add_typer(explaining.wording, name="wording")
app.add_typer(explaining.deadline, name="deadline")
app.add_typer(benchmarking.bench, name="bench")
app.add_typer(wallet.wallet, name="wallet")
