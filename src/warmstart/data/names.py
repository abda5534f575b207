"""Names that people give to columns, the usual first."""

LABEL_NAMES = (
    *("label", "labels", "class", "classes", "target", "category", "y", "sentiment", "intent", "topic"),
    *("tag", "emotion", "genre", "species", "diagnosis", "outcome", "verdict", "rating", "stars", "language"),
    *("lang", "label_text", "label_name", "class_name", "class_label", "gold", "gold_label", "answer"),
    *("spam", "toxic"),
)
SURE_LABELS = LABEL_NAMES[:5]  # a column of such a name that cannot be the label stops the search
TEXT_NAMES = (
    *("text", "sentence", "review", "content", "message", "body", "utterance", "comment", "tweet"),
    *("document", "question", "query", "prompt", "sms", "post", "abstract", "description", "title"),
    *("headline", "input"),
)
GROUPED_BY = (
    *("group", "user", "author", "customer", "client", "patient", "subject", "session", "speaker"),
    *("source", "site", "participant", "person", "case", "document", "doc", "conversation", "thread"),
    *("video", "recording", "scene", "hospital", "device", "slide", "user_name", "username"),
)
GROUP_NAMES = frozenset(f"{name}{end}" for name in GROUPED_BY for end in ("", "s", "_id", "id"))
SPLIT_COLUMNS = ("split", "subset", "partition", "set")
NOT_A_LABEL = frozenset(
    ("id", "index", "idx", "uid", "uuid", "guid", "date", "time", "timestamp", "url", "link", "filename")
)
OTHERS = ("image", "file_name", "path")
KNOWN = frozenset((*LABEL_NAMES, *TEXT_NAMES, *SPLIT_COLUMNS, *OTHERS)) | GROUP_NAMES | NOT_A_LABEL


FLAGS = ("text", "label", "group", "test", "rows")  # of the command line; the rest is asked for with --set


def flag(name: str, value: str = "") -> str:
    """How the command line asks for it: "--test FILE", "--set validation=FILE"."""
    if name in FLAGS:
        return f"--{name} {value}".rstrip()
    return f"--set {name}={value or name.upper()}"
