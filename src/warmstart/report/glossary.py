"""What the numbers of a report mean, in one plain sentence each."""

GLOSSARY = (
    ("accuracy", "Of all test rows, the share whose class the model names correctly."),
    (
        "macro-F1",
        "For each class, the harmonic mean of precision (how often its name is right when given) and recall "
        "(how many of its rows are found), averaged so that small classes count as much as large ones.",
    ),
    (
        "log-loss",
        "How surprised the model is by the true answers, in nats: the mean of −ln(probability given to the "
        "truth). Lower is better; being sure and wrong costs most.",
    ),
    (
        "Brier score",
        "The squared distance between the probabilities and the truth, summed over the classes, 0 to 2. "
        "Lower is better; unlike log-loss it stays finite when the model is sure and wrong.",
    ),
    (
        "calibration error (ECE)",
        "How far the confidence that the model states is from the share of answers that are right. Lower is "
        "better; 0 means that “90 % sure” is right 9 times in 10. With few rows it comes out too high.",
    ),
    (
        "interval",
        "The range in square brackets. Of 100 ranges made this way on other test rows of the same kind, "
        "about 95 hold the true value. Two runs are compared on the same rows, so the interval of a gain is "
        "often narrower than those of the two runs suggest.",
    ),
    (
        "p",
        "How often a difference at least this large would appear by chance if both runs were equally good.",
    ),
    ("points", "Percentage points: from 90 % to 93 % are 3 points."),
    (
        "train, validation, test",
        "Train rows teach; validation rows choose (when to stop, what to recommend); test rows are looked at "
        "once, at the end, and prove.",
    ),
    (
        "baseline",
        "What the rows give without any pretrained network: a bag of words, or colours and edges, with a "
        "logistic regression. A network that is not shown to beat it is not worth its cost.",
    ),
    ("base", "The pretrained model before training, where it can answer at all."),
    ("frozen", "The pretrained model unchanged, with only a new last layer learned."),
    ("scratch", "A model of the same shape that starts from random weights: what pretraining is worth."),
)
