"""The table of commands: where each lives, what it looks like in use, what `--json` prints."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL = "On this machine"
RUNS = "Datasets and runs"
WORDS = "Decisions"
PROJECTS = "Projects"
_WISH_JSON = "`POST /api/runs`'s answer: id, statusUrl, pageUrl, started, code, message"
_STATUS_JSON = "the run's status document, as `GET /api/runs/{id}` answers"


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command; the module is imported when the command is asked for.

    Attributes:
        json: what `--json` prints, "" where there is no such option.
        exits: what exit code 1 means, "" where it cannot happen.
    """

    name: str
    module: str
    panel: str
    examples: tuple[str, ...]
    json: str = ""
    exits: str = ""
    function: str = ""
    passes_arguments_on: bool = False


def _word(name: str, *examples: str) -> Command:
    return Command(
        name=name,
        module="words",
        panel=WORDS,
        examples=examples,
        json=_STATUS_JSON,
        exits="the run cannot be told that now; the sentence says why",
    )


def _wish(name: str, *examples: str) -> Command:
    return Command(
        name=name,
        module="words",
        panel=WORDS,
        examples=examples,
        json=f"{_WISH_JSON}; with --wait the status document at the end",
        exits="refused, or with --wait: the run did not succeed",
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        name="demo",
        module="demo_command",
        panel=LOCAL,
        examples=("droptune demo", "droptune demo --dataset my-folder --json"),
        json="the status document of act 2's run",
        exits="something did not happen as promised",
    ),
    Command(
        name="test",
        module="test_command",
        panel=LOCAL,
        examples=("droptune test", "droptune test tests/cli -q"),
        exits="a check did not pass",
        passes_arguments_on=True,
    ),
    Command(
        name="simulate",
        module="simulate_command",
        panel=LOCAL,
        examples=("droptune simulate --seeds 0-999", "droptune simulate --seed 7 --trace"),
        json="counts of schedules, faults by kind and runs by end, and every failure",
        exits="a promise did not hold; the seed and the shortest story are printed",
    ),
    Command(
        name="up",
        module="up",
        panel=LOCAL,
        examples=("droptune up", "droptune up --state ~/tuning --port 7071"),
        json="app_url, emulator_url and storage_connection_string, once all of it answers",
    ),
    Command(
        name="init",
        module="init_command",
        panel=LOCAL,
        examples=("droptune init support-bot", "droptune init --model gpt-4.1-nano"),
        json="folder, created and next",
    ),
    Command(
        name="validate",
        module="validate_command",
        panel=LOCAL,
        examples=("droptune validate support-bot", "droptune validate training.jsonl --json"),
        json="the report document, as `GET /api/runs/{id}/report` answers",
        exits="the data is rejected",
    ),
    Command(
        name="split",
        module="split_command",
        panel=LOCAL,
        examples=(
            "droptune split training.jsonl divided",
            "droptune split all.jsonl divided --validation 0.1 --test 0.1 --seed 7",
        ),
        json="folder, lines by role, examples, groups and seed",
        exits="a line is too long to be moved; nothing was written",
    ),
    Command(
        name="convert",
        module="convert_command",
        panel=LOCAL,
        examples=("droptune convert sharegpt.jsonl training.jsonl",),
        json="file, examples, and how many of each shape",
        exits="a line cannot be converted without loss; nothing was written",
    ),
    Command(
        name="doctor",
        module="doctor",
        panel=LOCAL,
        examples=("droptune doctor", "droptune doctor --app https://my-app.azurewebsites.net"),
        json="checks: each with name, well, message and remedy",
    ),
    Command(
        name="submit",
        module="submit",
        panel=RUNS,
        examples=(
            "droptune submit support-bot --wait",
            "droptune submit data --project support-bot --version 2026-11",
        ),
        json=_STATUS_JSON,
        exits="the data is rejected (nothing was uploaded), or with --wait: no success",
    ),
    Command(
        name="datasets",
        module="dataset_commands",
        panel=RUNS,
        examples=("droptune datasets", "droptune datasets --json"),
        json="what `GET /api/datasets` answers",
    ),
    Command(
        name="runs",
        module="run_commands",
        panel=RUNS,
        examples=("droptune runs", "droptune runs --project support-bot --phase failed --json"),
        json="what `GET /api/runs` answers: runs and next",
    ),
    Command(
        name="show",
        module="run_commands",
        panel=RUNS,
        examples=("droptune show RUN", "droptune show RUN --follow"),
        json=f"{_STATUS_JSON}; with --follow at the end",
        exits="there is no such run, or with --follow: it did not succeed",
    ),
    Command(
        name="report",
        module="stored_commands",
        panel=RUNS,
        examples=("droptune report RUN", "droptune report RUN --json > report.json"),
        json="the report document, as `GET /api/runs/{id}/report` answers",
        exits="there is no report yet",
    ),
    Command(
        name="events",
        module="stored_commands",
        panel=RUNS,
        examples=("droptune events RUN --follow", "droptune events RUN --json | tail -1"),
        json="what `GET /api/runs/{id}/events` answers: one JSON object a line",
        exits="there are no events yet, or with --follow: the run did not succeed",
    ),
    Command(
        name="notifications",
        module="notification_command",
        panel=RUNS,
        examples=("droptune notifications RUN", "droptune notifications RUN --replay"),
        json="what `GET /api/runs/{id}/notifications` answers: notifications, each with id, event, "
        "at, target, format, state, attempts, answer, problem, next_at, tried_at and created_at; "
        "with --replay also replayed, how many are tried again",
        exits="there is no such run",
    ),
    Command(
        name="open",
        module="open_command",
        function="open_page",
        panel=RUNS,
        examples=("droptune open", "droptune open RUN"),
        json="url",
        exits="there is no such run",
    ),
    _word("cancel", 'droptune cancel RUN --reason "wrong data"'),
    _word("pause", "droptune pause RUN"),
    _word("resume", "droptune resume RUN"),
    _word("approve", 'droptune approve RUN --reason "within budget"'),
    _word("reject", 'droptune reject RUN --reason "worse" --metric accuracy=0.81'),
    _wish("retry", "droptune retry RUN --wait"),
    _wish("again", "droptune again RUN"),
    Command(
        name="promote",
        module="words",
        panel=WORDS,
        examples=('droptune promote RUN --reason "better after all" --wait',),
        json=f"{_WISH_JSON}; with --wait the status document at the end",
        exits="it cannot be promoted, or with --wait: it was not; the sentence says why",
    ),
    Command(
        name="projects",
        module="project_commands",
        panel=PROJECTS,
        examples=("droptune projects", "droptune projects support-bot --json"),
        json="what `GET /api/projects` or `GET /api/projects/{project}` answers",
        exits="there is no such project",
    ),
    Command(
        name="rollback",
        module="project_commands",
        panel=PROJECTS,
        examples=('droptune rollback support-bot --reason "answers got curt"',),
        json="the champion document, as `GET /api/projects/{project}/champion` answers",
        exits="there is no previous champion",
    ),
    Command(
        name="sweep",
        module="sweep_command",
        panel=PROJECTS,
        examples=("droptune sweep --dry-run", "droptune sweep"),
        json="dry_run and deletions: each with what, name, why, run, state and message",
        exits="Azure refused to delete something; the sentence says what",
    ),
)


def wanted(arguments: list[str]) -> tuple[Command, ...]:
    """Return the commands to load: the one that is asked for, or all where none is."""
    asked = arguments[0] if arguments else ""
    return tuple(each for each in COMMANDS if each.name == asked) or COMMANDS
