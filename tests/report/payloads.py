"""Sixty texts that try to become markup, script, a request, or a terminal command when shown carelessly.

`OWNED` marks the page when a script runs; `{port}` is where a request would arrive.
"""

OWNED = "document.documentElement.setAttribute('data-owned','1')"
_URL = "http://127.0.0.1:{port}/leak"

_SCRIPTS = [
    "<script>{o}</script>",
    "<ScRiPt>{o}</sCrIpT>",
    "</script><script>{o}</script>",
    "</style><script>{o}</script>",
    "</title><script>{o}</script>",
    "</textarea><script>{o}</script>",
    "--><script>{o}</script>",
    "]]><script>{o}</script>",
    "</code></p></details><script>{o}</script>",
    "</text></svg><script>{o}</script>",
    "<script src={u}></script>",
    "<script type=module>{o}</script>",
    "<script\x0b>{o}</script>",
    "<scr\x00ipt>{o}</scr\x00ipt>",
    "<<script>{o}//<</script>",
]
_HANDLERS = [
    "<img src=x onerror={o}>",
    '"><img src=x onerror="{o}">',
    "'><img src=x onerror={o}>",
    "` onmouseover={o} autofocus onfocus={o} x=`",
    '" onmouseover="{o}" autofocus onfocus="{o}',
    "' autofocus onfocus='{o}",
    "<svg onload={o}>",
    "<svg/onload={o}>",
    "<svg><animate onbegin={o} attributeName=x dur=1s>",
    "<svg><set onbegin={o} attributeName=x>",
    "<svg><script>{o}</script></svg>",
    "<math><mtext><img src=x onerror={o}></mtext></math>",
    "<body onload={o}>",
    "<details open ontoggle={o}>x</details>",
    "<input autofocus onfocus={o}>",
    "<select autofocus onfocus={o}>",
    "<video><source onerror={o}></video>",
    "<audio src=x onerror={o}>",
    "<marquee onstart={o}>x</marquee>",
    "<iframe srcdoc='<script>parent.{o}</script>'></iframe>",
    "<object data='javascript:{o}'></object>",
    "<xss contenteditable onfocus={o} autofocus>x</xss>",
    "<style>@keyframes x{{}}</style><p style='animation:x' onanimationstart={o}>",
]
_LINKS = [
    "<a href='javascript:{o}' id=x>x</a>",
    "javascript:{o}",
    "JaVaScRiPt:{o}",
    "data:text/html,<script>{o}</script>",
    "[click](javascript:{o})",
    "![x]({u})",
    "<form action='javascript:{o}'><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url={u}'>",
    "<base href={u}>",
]
_REQUESTS = [
    "<img src={u}>",
    "<link rel=stylesheet href={u}>",
    "<link rel=prefetch href={u}>",
    "<style>@import '{u}';</style>",
    "<p style='background:url({u})'>",
    "<svg><image href={u} /></svg>",
    "<svg><use href='{u}#x'/></svg>",
    "<iframe src={u}></iframe>",
]
_OTHER = [
    "{{{{ 7 * 191 }}}}{{% include 'report.css' %}}",
    "&lt;script&gt;{o}&lt;/script&gt;",
    "\x1b]8;;{u}\x07click\x1b]8;;\x07\x1b[2J\x1b]52;c;ZXZpbA==\x07",
    "\u202egnirts\u2066\u200b\u2028\ufeff\U000e0041 [bold red]x[/bold red] \ud800",
    "\x9b31m\x90q\x9d0;title\x9c\r\b\x7f [link={u}]x[/link]",
]


def payloads(port: int = 9) -> list[str]:
    """The sixty texts; requests go to `port` on this machine."""
    url = _URL.format(port=port)
    every = [*_SCRIPTS, *_HANDLERS, *_LINKS, *_REQUESTS, *_OTHER]
    return [text.format(o=OWNED, u=url) for text in every]
