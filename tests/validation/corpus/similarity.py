"""Scenes: examples that stand twice, or nearly; contradictions; texts that are alike and fine."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from droptune.validation.report import EarlierTest
from droptune.validation.rules.fixtures import assistant, chat, system, user
from tests.validation.corpus.ordinary import ORDINARY
from tests.validation.corpus.scene import Marked, Scene, bad, good, qa

NEAR, LEAK, TWICE, CONFLICT = (
    "near-duplicate-example",
    "near-leaked-example",
    "duplicate-example",
    "conflicting-answers",
)
# Question and answer as a customer service would have them.
_LETTERS = (
    (
        "Hello, I ordered a pair of walking shoes from you last week, and the left one squeaks with "
        "every step. I have worn them twice indoors. Can I send them back, and who pays for that?",
        "Shoes that squeak are a defect, so the return is free. Print the label from your account.",
    ),
    (
        "The heating in our flat has been making a knocking noise since the autumn, mostly at night "
        "when it switches on. The caretaker says it is air in the pipes. What can I do about it?",
        "Bleed the radiators, beginning with the lowest floor, and top up the pressure afterwards.",
    ),
    (
        "I would like to cook something with lentils for eight people on Saturday. Two of them are "
        "vegan and one does not eat garlic. It should be possible to prepare it the day before.",
        "A lentil stew with carrots and lemon keeps well: cook it on Friday and warm it slowly.",
    ),
    (
        "Our team wants to move the weekly meeting from Monday morning to Tuesday afternoon, but two "
        "colleagues work part time and leave at two. Which time would you suggest, and why?",
        "Tuesday at one: everybody is there, and those who leave at two can still take part.",
    ),
    (
        "My grandmother's clock stopped yesterday after it had run for forty years. It is wound with "
        "a key, and the key still turns. Is that something I can repair at home without tools?",
        "Probably not: if the key turns without resistance, the mainspring is broken.",
    ),
    (
        "We are planning a trip with two small children by train to the sea, and we have to change "
        "twice. How much time should we leave for each change, and where do we put the pushchair?",
        "Leave twenty minutes for each change, and book seats beside the family compartment.",
    ),
    (
        "Please write a short note to the neighbours that we will have a party on the roof in June, "
        "that they are invited, and that the music will be turned down at eleven at the latest.",
        "Dear neighbours, we celebrate on the roof in June and would be glad if you came.",
    ),
    (
        "The printer in the hallway says that the paper tray is empty although it is full. I have "
        "taken the tray out and put it back, and switched the printer off and on. Nothing helps.",
        "Clean the sensor under the tray with a dry cloth; dust makes it believe the tray is empty.",
    ),
)
_EDITS: tuple[Callable[[str], str], ...] = (
    lambda text: text.upper(),
    lambda text: text.replace(". ", ".\n\n"),
    lambda text: text.replace(". ", " - "),
    lambda text: text + " Thanks!",
    lambda text: "Hi! " + text,
    lambda text: text.replace(" and ", " & ", 1),
    lambda text: text.replace("  ", " ").rstrip(".?") + " ...",
    lambda text: text.replace("I ", "i ").replace("the ", "The "),
)


def _near(mark: str) -> tuple[Marked, ...]:
    """Return each letter once more, slightly edited."""
    return tuple(
        bad(qa(edit(question), answer), mark)
        for (question, answer), edit in zip(_LETTERS, _EDITS, strict=True)
    )


_ONCE = tuple(good(qa(question, answer)) for question, answer in _LETTERS)
_TWICE = tuple(bad(each.line, TWICE) for each in ORDINARY[:5])
_RULES = (
    "You sort messages of customers of a furniture shop. Read the message to its end, decide what "
    "it is mostly about, and answer with one word in lower case: delivery, invoice, defect or other. "
    "Do not explain your choice, do not add a full stop, and do not repeat the message. Message: "
)
_MESSAGES = (
    "sofa came scratched", "who signed for it", "wrong tax rate", "table leg loose", "opening hours",
    "late again", "paid twice", "door does not close", "lamp flickers", "do you buy used chairs",
    "no tracking number", "need a copy for my firm", "drawer is stuck", "thank you all", "left outside",
)  # fmt: skip
_TEMPLATE = tuple(
    good(qa(_RULES + message, ("defect", "delivery", "invoice", "other")[at % 4]))
    for at, message in enumerate(_MESSAGES)
)
_ARTICLE = (
    "The lighthouse on the northern cape was built in the summer of a dry year from granite that "
    "was quarried on the island itself. For the first decades its lamp burned whale oil, later "
    "paraffin, and the keeper climbed the stairs every four hours to trim the wick. When the railway "
    "reached the mainland harbour, traffic in the sound doubled, and the old lamp was replaced by a "
    "lens from Paris that floats in a bath of quicksilver and can be turned with one finger. Today "
    "nobody lives there; a cable brings the current, and a ranger looks after the nesting terns. "
)
_READING = tuple(
    good(qa(f"{_ARTICLE}\n\nQuestion: {question}", answer))
    for question, answer in (
        ("What was the tower built from?", "Granite from the island."),
        ("How often did somebody trim the wick?", "Every four hours."),
        ("Where does the lens come from?", "Paris."),
        ("Which birds nest there today?", "Terns."),
    )
)
_SUMS = tuple(
    good(
        qa(
            f"A farmer sells {boxes} boxes of apples at the market, and each of the boxes holds "
            f"{apples} apples that he picked with his daughter in the morning. On the way home he "
            "gives the last box to a friend who helped him. How many apples did he sell?",
            f"He sold {boxes * apples} apples.",
        )
    )
    for boxes, apples in ((12, 40), (15, 36), (9, 50), (21, 18))
)
_PERSONAS = tuple(
    good(qa(_LETTERS[0][0], answer, prompt))
    for prompt, answer in (
        ("You are a pirate.", "Arr, send the cursed boot back, and let the shop pay the ferry!"),
        ("You are a lawyer.", "You may withdraw within fourteen days; the seller bears the cost."),
    )
)
_TURNS = [
    message
    for at, said in enumerate(("Tell me a story.", "Go on.", "And then?", "What did she say?") * 4)
    for message in (user(said), assistant(f"Part {at + 1}: the road went on past the mill."))
]
_GROWING = tuple(good(chat(*_TURNS[: 2 * length])) for length in range(12, 16))
_SHORT = (
    good(qa("Hi", "Hello! What can I do for you?")),
    good(qa("hi!", "Good to see you. How can I help?")),
    good(qa("Thanks", "You are welcome.")),
    good(qa("thank you", "My pleasure!")),
)
_CITIES = tuple(
    good(qa(f"What is the population of {city}, and is it growing?", answer))
    for city, answer in (
        ("Oslo", "About 700,000, and yes."),
        ("Porto", "About 230,000, and slowly."),
        ("Graz", "About 300,000, and yes."),
        ("Turku", "About 200,000, and yes."),
    )
)


_ABOVE = tuple(
    good(qa("Which department is to answer the message above?", ("sales", "repair")[at % 2],
            f"Message: {message}, says the customer, and asks what to do."))
    for at, message in enumerate(_MESSAGES)
)  # fmt: skip
_PARAPHRASED = tuple(
    good(qa(question, answer))
    for question, answer in (
        ("How can I bring a parcel back to you if I do not like what is in it?", "By post."),
        ("I do not like what came in the parcel; how do I return it to you?", "Use the label."),
        ("Is it possible to return a parcel when its content is not to my taste?", "Yes, it is."),
    )
)
_OTHER_WORDS = tuple(
    good(
        qa(f"Write a polite letter of three sentences to {who} that asks for {what}, please.", said)
    )
    for who, what, said in (
        ("my landlord", "a new boiler", "Dear Mr Hill, the boiler is old. Could it be replaced?"),
        ("my bank", "a second card", "Dear team, I need a second card. Could you send me one?"),
        ("a school", "a free place", "Dear Sir, my son is six. Is there a place for him?"),
        ("my landlord", "a cat flap", "Dear Mr Hill, we have a cat. May we fit a flap for her?"),
    )
)
_AGAIN = tuple(
    bad(each, NEAR)
    for each in (
        qa(_LETTERS[0][0] + " Please!", "The return is free if they are faulty. See your account."),
        qa("Dear shop. " + _LETTERS[5][0], "Plan twenty minutes, and sit next to the families."),
        {"messages": [user([{"type": "text", "text": _LETTERS[2][0]}]), assistant(_LETTERS[2][1])]},
        json.dumps(qa(*_LETTERS[3]), indent=None, separators=(",", ":")).encode(),
    )
)


def _label(text: str, label: str, prompt: str = "Is this a complaint? Answer yes or no.") -> Any:
    return qa(text, label, prompt)


_LABELLED = (
    good(_label("The chair wobbles.", "yes")),
    bad(_label("The chair wobbles.", "no"), CONFLICT),
    good(_label("Lovely colour!", "no")),
    bad(_label("Lovely colour!", "yes"), CONFLICT),
    good(_label("When do you open?", "no")),
    bad(_label("When do you open?", "Yes."), CONFLICT),
    good(_label("It came broken and late.", "yes")),
    good(_label("It came broken and late.", "Yes.")),
    good(_label("I like it.", "no")),
    good(_label("I like it.", "No")),
    good(_label("I like it.", "positive", "Which mood is this?")),
    good(qa("Pick a colour.", "red")),
    good(qa("Pick a colour.", "blue")),
    good(qa("Pick a colour.", "green")),
    good(qa("Pick a colour.", "ochre")),
    good(qa("Hey there", "Hello!")),
    good(qa("Hey there", "Hi, how are you?")),
    good(chat(user("Ready?"), assistant("Yes."), user("Go!"), assistant("Left"))),
    good(chat(user("Ready?"), assistant("Not yet."), user("Go!"), assistant("Right"))),
)


def _kept(*lines: Any) -> EarlierTest:
    raw = [json.dumps(line, ensure_ascii=False).encode() for line in lines]
    digests = b"".join(hashlib.sha256(line).digest()[:8] for line in raw)
    return EarlierTest(name="v1/test.jsonl", digests=base64.b64encode(digests).decode())


_TESTED = tuple(each.line for each in ORDINARY[20:24])

SCENES = (
    Scene("exact duplicates", (*ORDINARY, *_TWICE)),
    Scene(
        "exact leaks",
        ORDINARY[:55],
        validation=(*(bad(each.line, "leaked-example") for each in ORDINARY[:4]), *ORDINARY[55:58]),
        test=(bad(ORDINARY[9].line, "leaked-example"), *ORDINARY[58:]),
    ),
    Scene("near duplicates", (*ORDINARY, *_ONCE, *_near(NEAR))),
    Scene("near leaks", (*ORDINARY, *_ONCE), validation=_near(LEAK)),
    Scene("near leaks into the test", (*ORDINARY, *_ONCE), test=_near(LEAK)[:4]),
    Scene("near duplicates, written otherwise", (*ORDINARY, *_ONCE, *_AGAIN)),
    Scene("the content is in the system prompt", (*ORDINARY, *_ABOVE)),
    Scene("the same in other words", (*ORDINARY, *_PARAPHRASED, *_OTHER_WORDS)),
    Scene("instructions that all share", (*ORDINARY, *_TEMPLATE)),
    Scene("questions on one article", (*ORDINARY, *_READING)),
    Scene("questions on one article, in validation", (*ORDINARY, *_READING[:2]), _READING[2:]),
    Scene("exercises that differ in numbers", (*ORDINARY, *_SUMS)),
    Scene("one question to two characters", (*ORDINARY, *_PERSONAS)),
    Scene("a conversation turn by turn", (*ORDINARY, *_GROWING)),
    Scene("short texts", (*ORDINARY, *_SHORT, *_CITIES)),
    Scene("labels that contradict each other", (*ORDINARY, *_LABELLED)),
    Scene(
        "what was tested before",
        (
            *ORDINARY[:20],
            *(bad(line, "earlier-test-leaked") for line in _TESTED),
            *ORDINARY[24:],
        ),
        request={"earlier": (_kept(*_TESTED),)},
    ),
    Scene(
        "preference pairs on one question",
        tuple(
            good(
                {
                    "input": {"messages": [system("Be short."), user(_LETTERS[at % 2][0])]},
                    "preferred_output": [assistant(f"Answer {at}, in few words.")],
                    "non_preferred_output": [assistant(f"Answer {at}, somewhat longer.")],
                }
            )
            for at in range(50)
        ),
        request={"method": "dpo"},
    ),
)
