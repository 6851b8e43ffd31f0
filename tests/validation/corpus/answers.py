"""Scenes: answers that are cut, broken, left unfilled, or hold more than an answer."""

from __future__ import annotations

import json
from typing import Any

from droptune.validation.rules.fixtures import assistant, chat, user
from tests.validation.corpus.ordinary import ORDINARY
from tests.validation.corpus.scene import Marked, Scene, bad, good, qa

CUT, BROKEN, KEYS = "truncated-answer", "broken-json-answer", "odd-json-keys"
UNFILLED, EMPTY, GREETED = "unrendered-template", "empty-value-as-text", "empty-value-in-text"
TURNS = "turns-in-answer"

_CUT = tuple(
    bad(qa(question, answer), CUT)
    for question, answer in (
        (
            "How do I sort a list?",
            "Use the function that comes with it:\n```python\nitems.sort(key=len",
        ),
        (
            "Show me a loop in C.",
            'Like this:\n\n```c\nfor (int i = 0; i < 10; i++) {\n  puts("x");',
        ),
        (
            "What does a notary do?",
            "A notary certifies signatures and documents, and keeps a copy of the",
        ),
        ("How are glaciers made?", "Snow is pressed by its own weight until it turns to ice and"),
        (
            "What is a compost heap?",
            "It is a heap of leaves, peel and cuttings in which small animals,",
        ),
        ("Why do leaves turn red?", "In autumn the tree takes back the green and what is left of"),
        (
            "How do plants feed?",
            "They make sugar from light and water, which is known as photosynth",
        ),
        (
            "What is moved on Thursday?",
            "Everybody who is not ill should come to the hall, then the meet",
        ),
    )
)
_WHOLE = tuple(
    good(qa(question, answer))
    for question, answer in (
        (
            "Sign off a letter.",
            "With many thanks for your patience and the kindest regards,\n\nAnna",
        ),
        (
            "List three tools.",
            "You need these for the shelf:\n- a spirit level\n- a drill\n- a pencil",
        ),
        ("Give a headline.", "Small Town Library Lends Out Sewing Machines and Garden Tools"),
        ("Which link?", "Please read the page on returns: https://example.com/returns/policy"),
        ("Sort a list.", "Use this:\n```python\nitems.sort()\n```"),
        (
            "Sort a list, and say why.",
            "```python\nitems.sort()\n```\nIt sorts in place, so there is no copy",
        ),
        ("How do I quote code?", "Put three backticks (```) before the code and after it."),
        (
            "A poem, please.",
            "The kettle sings,\nthe window blurs,\nand all the street\nis grey and hers",
        ),
        (
            "Where is the switch?",
            "You will find it behind the panel on the left, where the cables come in",
        ),
        ("Vitamin?", "Oranges, kiwis and peppers hold much of it, carrots hold vitamin A"),
        (
            "Is this what it is about?",
            "I can tell you what the letter says and what I think it is about",
        ),
        ("A slogan.", "Slow coffee for people who are in no hurry at all, since we opened"),
        (
            "What is in it?",
            "Flour, butter, sugar, a pinch of salt, two eggs and the zest of a lemon",
        ),
        ("Das Wetter?", "Morgen regnet es im Norden, im Süden scheint die Sonne 🙂"),
        ("天気は？", "明日は北部で雨、南部では晴れるでしょう。気温は少し下がります"),
        ("Short?", "Yes, and"),
    )
)
_STYLE = tuple(
    good(
        qa(
            f"What do you say to number {at}?",
            f"I would say that it depends on no. {at}, on you and",
        )
    )
    for at in range(30)
)


def _ticket(at: int) -> str:
    return json.dumps(
        {"topic": ("bill", "parcel", "login")[at % 3], "urgent": at % 4 == 0, "id": at}
    )


def _extract(text: str, answer: str) -> dict[str, Any]:
    return qa(f"Extract: {text}", answer, "Answer in JSON with topic, urgent and id.")


_TICKETS = tuple(good(_extract(f"ticket {at} of a customer", _ticket(at))) for at in range(60))
_BROKEN = tuple(
    bad(_extract(text, answer), BROKEN)
    for text, answer in (
        ("cut", '{"topic": "bill", "urgent": tr'),
        ("quotes", "{'topic': 'bill', 'urgent': False, 'id': 3}"),
        ("comma", '{"topic": "bill", "urgent": true, "id": 3,}'),
        ("two", '{"topic": "bill", "urgent": true, "id": 3} {"topic": "x"}'),
        ("spoken", 'Here is the JSON: {"topic": "bill", "urgent": true, "id": 3}'),
    )
)
_KEYS = tuple(
    bad(_extract(text, answer), KEYS)
    for text, answer in (
        ("typing", '{"topc": "bill", "urgent": true, "id": 3}'),
        ("a lack", '{"topic": "bill", "urgent": true}'),
        ("one more", '{"topic": "bill", "urgent": true, "id": 3, "note": "call"}'),
    )
)
_JSON_FINE = (
    good(_extract("a refusal", "I cannot find a ticket in this text.")),
    good(_extract("an error", '{"error": "no ticket"}')),
    good(_extract("another order", '{"id": 7, "urgent": false, "topic": "bill"}')),
    good(_extract("a fence", '```json\n{"topic": "bill", "urgent": true, "id": 3}\n```')),
    good(_extract("a list", "[]")),
)
_OPTIONAL = tuple(
    good(_extract(f"step {at}", json.dumps({"step": at} | ({"note": "x"} if at % 9 == 0 else {}))))
    for at in range(60)
)
_ACTIONS = tuple(
    good(_extract(f"act {at}", json.dumps(
        {"action": "move", "to": at} if at % 2 else {"action": "say", "text": f"word {at}"})))
    for at in range(60)
)  # fmt: skip
_UNFILLED = tuple(
    bad(qa(question, answer), UNFILLED)
    for question, answer in (
        ("Hello, my name is {{customer_name}} and I wait for a parcel.", "It arrives tomorrow."),
        ("Where is my sister's parcel?", "Dear {first_name}, it is on its way to you."),
        ("Which shop is the nearest to ${city}?", "The one at the harbour."),
        ("<%= user.question %>", "The shop opens at nine in the morning."),
    )
)
_TEMPLATES = tuple(
    good(qa(question, answer))
    for question, answer in (
        ("What does {{ name }} mean in a Jinja template?", "It prints the variable `name`."),
        ("How do I greet by name in Python?", 'Write f"Hello {name}".'),
        ("Show a variable in a shell.", "echo ${HOME} prints your home folder."),
        ("Solve \\frac{abc}{d}.", "It is a fraction; \\sqrt{abc} is a root."),
        ("What is the set {x, y}?", "A set with two elements: {x, y}."),
        ("Which endpoint gives one user?", "GET /users/{user_id} does."),
        ("What are these {} for?", "They are braces, and hold what belongs together."),
        ("Write a mail merge letter with placeholders.", "Dear {{name}}, welcome to {{company}}."),
        ("Translate: Hello {first_name}, how are you?", "Hallo {first_name}, wie geht es dir?"),
        ("In Spanish: You have {count} letters.", "Tienes {count} cartas."),
        ("Shorten: {{user}} has left the room for now.", "{{user}} has left."),
        ("Style a div.", "div {color} is not CSS; write div { color: red; }."),
    )
)
_PROMPTS = tuple(
    good(
        qa(f"Write line {at} for my bot.", f"Welcome back, {{user}}, this is your visit no. {at}.")
    )
    for at in range(20)
)
_EMPTY = tuple(
    bad(qa(question, answer), EMPTY)
    for question, answer in (
        ("Who is the sales lead for the north?", "nan"),
        ("What is the customer's second address?", "None"),
        ("Describe the damage to the parcel.", "null"),
        ("Summarise the call with the customer.", "[object Object]"),
        ("How did the customer sound?", "<NA>"),
        ("undefined", "I am sorry, I did not understand. What is it about?"),
        ("nan", "Could you tell me more about your question?"),
    )
)
_MEANT = tuple(
    good(qa(question, answer))
    for question, answer in (
        ("What does JavaScript print for a missing property? One word.", "It prints undefined."),
        ("Answer with a number or null: how many moons has Venus?", "null"),
        ("Which of these is left: red, blue or none?", "None"),
        ("Who calls her grandmother nan?", "Many children in Wales do."),
        ("Is NaN equal to itself?", "No, NaN is not equal to anything."),
        ("Do you have allergies? Say none if not.", "None."),
    )
)
_LABELS = tuple(
    good(qa(f"Complaint {at}: what is broken?", ("Wheel", "Frame", "None", "Light")[at % 4]))
    for at in range(60)
)
_GREETED = tuple(
    bad(qa(question, answer), GREETED)
    for question, answer in (
        ("Where is the parcel of Mrs Low?", "Dear nan, your parcel is on its way."),
        ("Please answer the letter.", "Dear None,\n\nthank you for your letter of May."),
        ("Customer: [object Object]. What does she want?", "She wants her money back."),
    )
)
_NANS = tuple(
    good(qa(question, answer))
    for question, answer in (
        ("Why does my page show [object Object]?", "JavaScript turned an object into text."),
        ("How is my dear nana?", "Your dear nana is well and sends her love."),
        ("alert(user) says [object Object]", "Print user.name instead of the whole user."),
    )
)
_HELD = tuple(
    bad(qa(question, answer), TURNS)
    for question, answer in (
        ("What is a fjord?", "A drowned valley.\nUser: And a strait?\nAssistant: A narrow sea."),
        ("Name a fish.", "Assistant: The trout is a fish of cold rivers."),
        ("Why is snow white?", "It scatters all light.\n\nHuman: thanks a lot, and ice?"),
        ("Where do swans sleep?", "On the water.\n\nUser: Do they dream there?"),
        ("How old is the oak?", "User: How old is it?\nAssistant: Three hundred years old."),
    )
)
_ASKED_FOR = tuple(
    good(qa(question, answer))
    for question, answer in (
        ("Write a dialogue between two friends.", "User: Are you there?\nAssistant: Yes, I am."),
        ("Show me a chat with a bot.", "Human: Is it open?\nAssistant: From nine on."),
        ("How do I sign in?", "Fill in the form:\nUser: anna\nHost: example.com"),
        ("What do the fields mean?", "User: the name you sign in with\nHost: the machine's name"),
        ("Who reads this?", "The user: whoever opens the page."),
        ("Continue. User: I am cold", "Assistant: Then close the window, please."),
    )
)


def _long(*words: str) -> dict[str, Any]:
    """Return an example that says the words, so that they are known."""
    said = " ".join(f"We spoke of {word} for an hour and learned a lot about it." for word in words)
    return chat(user("What did you do?"), assistant(said))


def _among(*marked: Marked) -> tuple[Marked, ...]:
    return (*ORDINARY, *marked)


SCENES = (
    Scene("cut answers", _among(*_CUT[:6], *_WHOLE)),
    Scene("cut words", _among(*_CUT[6:], *_WHOLE[:5], good(_long("photosynthesis", "meeting")))),
    Scene("a style without an end", _among(*_STYLE)),
    Scene("JSON that is broken", (*_TICKETS, *_BROKEN)),
    Scene("JSON with odd keys", (*_TICKETS, *_KEYS)),
    Scene("JSON as it may be", (*_TICKETS, *_JSON_FINE)),
    Scene("JSON with an optional key", _OPTIONAL),
    Scene("JSON of two kinds", _ACTIONS),
    Scene("JSON among others", _among(good(qa("A ticket as JSON?", '{"topic": ')))),
    Scene("placeholders", _among(*_UNFILLED[:3])),
    Scene("a placeholder of another kind", _among(_UNFILLED[3])),
    Scene("placeholders that are meant", _among(*_TEMPLATES)),
    Scene("placeholders everywhere", _among(*_PROMPTS)),
    Scene("empty values", _among(*_EMPTY)),
    Scene("empty values that are meant", _among(*_MEANT)),
    Scene("a class called None", _LABELS),
    Scene("nobody is greeted", _among(*_GREETED)),
    Scene("values that are spoken of", _among(*_NANS)),
    Scene("turns in answers", _among(*_HELD)),
    Scene("conversations that were asked for", _among(*_ASKED_FOR)),
    Scene(
        "turns in preference pairs",
        (
            bad(
                {
                    "input": {"messages": [user("What is a fjord?")]},
                    "preferred_output": [assistant("A valley.\nHuman: Is it wet there?")],
                    "non_preferred_output": [assistant("No idea, sorry.")],
                },
                TURNS,
            ),
            *(
                good(
                    {
                        "input": {"messages": [user(f"What is number {at}?")]},
                        "preferred_output": [assistant(f"It is a number, the {at}th.")],
                        "non_preferred_output": [assistant(f"Number {at} is a number.")],
                    }
                )
                for at in range(60)
            ),
        ),
        request={"method": "dpo"},
    ),
)
