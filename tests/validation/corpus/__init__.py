"""A labelled corpus: lines, hostile and innocent, marked with the rules that shall speak of them.

A module of scenes for each group of families; `SCENES` in `scenes.py` joins them. A scene is a
small dataset; every error and warning that the whole engine says of it is compared with the marks:

    Scene("greetings", (*ORDINARY, bad(qa("Hi", "Dear nan, hello"), "empty-value-in-text"),
                        good(qa("What is NaN?", "Not a number."))))

`good` marks a line of which no rule shall speak, `bad` one of which exactly the named rules shall.
`whole` names rules that shall speak of a file or the dataset without a line. A missing mark is a
false alarm, which costs precision; a mark without a finding costs recall.

    python -m tests.validation.corpus

writes docs/rules-measured.json, from which the page of rules prints both for each rule.
"""
