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
        "temperature",
        "A number by which the scores behind all probabilities are divided: above 1 a model is less sure, "
        "and no answer changes. It is fitted to validation rows.",
    ),
    (
        "learned by heart",
        "How often a training row has a lower loss than a test row of its class: 0.5 where both are alike, 1 "
        "where the model knows every row that it learned from.",
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
    (
        "by Holm",
        "p, raised for the number of rivals: the more comparisons, the likelier one of them misleads.",
    ),
    (
        "seeds",
        "A training begins with random numbers, and other ones give another model. Repeated with several "
        "seeds, its mean and spread say what the recipe does and not what luck did.",
    ),
    (
        "signs",
        "The exact sign-flip test: how often so high a mean gain would come about if each seed’s gain were "
        "as likely to be a loss of its size. Five seeds show 0.031 at best, and only if all of them gain.",
    ),
    (
        "worth of labels",
        "What more labelled rows of the same kind would add to the true accuracy, read from a curve through "
        "trainings on parts of the rows. Its 90 % interval holds the truth about nine times in ten.",
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
