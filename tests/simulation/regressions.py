"""Seeds that found something: (seed, profile), each with what it found."""

from __future__ import annotations

REGRESSIONS = (
    (1063, "everything"),  # a candidate that Azure removed was waited for in vain
    (1231, "everything"),
    (2029, "promotions"),
    (35, "deployments"),  # a champion made again was pointed to before it had answered
    (189, "deployments"),  # waiting for days overflowed
    (22, "limits"),
    (110, "submission"),  # a file that was uploaded twice was never deleted
    (10, "workers"),
    (390, "submission"),
    (335, "everything"),
    (20008, "everything"),  # removed by Azure between its answer and the pointer: made again
    (100095, "everything"),  # a record written at the last moment was in no list, and never ended
    (100197, "everything"),
    (200293, "everything"),
    (200327, "everything"),
    (299262160234, "everything"),  # a job that no list showed yet was submitted a second time
    (299263991218, "workers"),  # a slow worker made a candidate again that was tried and given back
    (5001842, "answers"),  # a request for a candidate acted after it was tried and given back
    (1004153, "notifications"),  # a promotion after the end changed what the end was told as
    (8004016, "everything"),  # a champion that was made again was not counted among what bills
    (299271450352, "everything"),  # a candidate that was made again while it was tried was not held
    (299267466309, "budgets"),  # a worker that stood still wrote an earlier status of the job
)
