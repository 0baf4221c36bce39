"""What whole images are resized to, and the input that is cut from them: a side, or height and width."""

CASES = [
    (40, (32, 32)), (32, (32, 32)), (33, (32, 32)), (None, (32, 32)), (20, (32, 32)), ((25, 35), (17, 23)),
    ((15, 45), (32, 32)), (40, (31, 33)), (64, (56, 56)), (29, (28, 28)),
]  # fmt: skip
