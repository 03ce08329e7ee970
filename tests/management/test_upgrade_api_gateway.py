"""upgradeApiGateway: which gateways, what is printed, and a CommandError for each failure."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_aws_api_gateway_websockets.models import ApiGateway
from django_aws_api_gateway_websockets.security import proof
from tests.factories import fresh, make_created_gateway, make_gateway
from tests.pages import BLOCKS

pytestmark = pytest.mark.django_db


def run(*arguments):
    """The lines that the command prints."""
    out = StringIO()
    call_command("upgradeApiGateway", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def run_dry(*arguments):
    """The lines that a dry run prints that finds something to do."""
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("upgradeApiGateway", *map(str, arguments), "--dry-run", stdout=out)
    assert end.value.code == 2
    return out.getvalue().splitlines()


def is_upgraded(gateway):
    return fresh(gateway).source_proof == proof.fingerprint(proof.value_for(gateway))


def test_one_gateway_is_upgraded(edge):
    chosen, other = make_created_gateway(api_name="Chat"), make_created_gateway()
    assert run("--pk", chosen.pk) == ["API Gateway upgraded: Chat"]
    assert (is_upgraded(chosen), is_upgraded(other)) == (True, False)


def test_all_that_are_created_are_upgraded(edge):
    chat, news = make_created_gateway(api_name="Chat"), make_created_gateway(api_name="News")
    make_gateway(api_name="Planned")
    assert run("--all") == ["API Gateway upgraded: Chat", "API Gateway upgraded: News"]
    assert is_upgraded(chat)
    assert is_upgraded(news)


def test_one_that_fails_does_not_keep_the_others_from_it(edge):
    chat, news = make_created_gateway(api_name="Chat"), make_created_gateway(api_name="News")
    edge.when(f"GET /v2/apis/{chat.api_id}/", 403, error_type="AccessDeniedException")
    with pytest.raises(CommandError, match=r"^Chat: .*AccessDeniedException[^\n]*$"):
        run("--all")
    assert (is_upgraded(chat), is_upgraded(news)) == (False, True)


def test_a_dry_run_prints_the_calls_and_makes_none(edge):
    gateway = make_created_gateway(api_name="Chat")
    lines = run_dry("--all")
    assert lines[0] == (
        "Chat: create_integration IntegrationUri=https://www.example.com/ws/connect "
        "IntegrationType=HTTP_PROXY"
    )
    assert lines[-1] == "Chat: create_deployment StageName=production"
    assert proof.value_for(gateway) not in "".join(lines)
    assert {line.split()[0] for line in edge.lines} == {"GET"}
    assert not is_upgraded(gateway)


def test_a_dry_run_of_what_is_up_to_date_says_so(local_gateway):
    gateway = make_gateway(api_name="Chat")
    gateway.create_gateway()
    assert run("--pk", gateway.pk, "--dry-run") == ["Chat: nothing to do"]


def test_of_several_gateways_one_with_changes_makes_the_status_of_a_dry_run(local_gateway):
    for name in ("Chat", "News", "Help"):
        gateway = make_gateway(api_name=name)
        gateway.create_gateway()
    assert run("--all", "--dry-run") == [f"{n}: nothing to do" for n in ("Chat", "News", "Help")]
    ApiGateway.objects.filter(api_name="News").update(throttling_rate_limit=5)
    chat, news, help_ = run_dry("--all")
    assert (chat, help_) == ("Chat: nothing to do", "Help: nothing to do")
    assert news.startswith("News: update_stage StageName=production")


def test_a_failure_wins_over_the_status_of_changes(edge):
    chat, _ = make_created_gateway(api_name="Chat"), make_created_gateway(api_name="News")
    edge.when(f"GET /v2/apis/{chat.api_id}/", 403, error_type="AccessDeniedException")
    with pytest.raises(CommandError, match=r"^Chat: .*AccessDeniedException") as failure:
        run("--all", "--dry-run")
    assert failure.value.returncode == 1


def test_a_dry_run_looks_as_on_the_page(local_gateway):
    from tests.old_release import deploy_as_1_1_1

    deploy_as_1_1_1(api_name="demo")
    shown = BLOCKS["commands-dry-run"].code.splitlines()
    told = {nameless(line) for line in run_dry("--all")}
    assert {nameless(line) for line in shown} <= told


def nameless(line):
    """A line without the ids that AWS chose."""
    return re.sub(r"(RouteId|IntegrationId)=\w+|\(new \d+\)", r"\1", line)


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_a_refusal_of_a_dry_run_is_an_error_as_well(edge, dry_run):
    gateway = make_created_gateway(api_name="Chat")
    edge.when("GET /v2/apis", 403, error_type="AccessDeniedException")
    with pytest.raises(CommandError, match=r"^Chat: .*AccessDeniedException"):
        run("--pk", gateway.pk, *dry_run)


def test_an_unknown_gateway_is_an_error(edge):
    with pytest.raises(CommandError, match="There is no gateway with the primary key 7"):
        run("--pk", 7)


def test_a_gateway_that_is_not_created_is_an_error(edge):
    with pytest.raises(CommandError, match="Planned: The API needs to be created"):
        run("--pk", make_gateway(api_name="Planned").pk)


def test_nothing_to_upgrade_is_an_error(edge):
    make_gateway()
    with pytest.raises(CommandError, match="No gateway has been created"):
        run("--all")


@pytest.mark.parametrize("arguments", [[], ["--dry-run"], ["--pk", "1", "--all"], ["--pk", "x"]])
def test_one_says_which_gateways(arguments):
    with pytest.raises(CommandError, match=r"--pk|--all"):
        run(*arguments)
