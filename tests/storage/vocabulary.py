"""Words with the terms that they give, and texts of any characters that a term can keep."""

import unicodedata

from hypothesis import strategies as st

# word -> its stems, its extras
WORDS = {
    # identifiers
    "retryBudgetMs": ("retri budget ms", "=retry =retrybudgetms"),
    "RetryBudgetMs": ("retri budget ms", "=retry =retrybudgetms"),
    "retry_budget_ms": ("retri budget ms", "=retry =retrybudgetms =retry_budget_ms"),
    "RETRY_BUDGET_MS": ("retri budget ms", "=retry =retrybudgetms =retry_budget_ms"),
    "retry-budget-ms": ("retri budget ms", "=retry =retrybudgetms =retry-budget-ms"),
    "HTTPServer": ("http server", "=httpserver"),
    "XMLHttpRequest": ("xml http request", "=xmlhttprequest"),
    "e2e": ("e2e", "=e2e"),
    "k8s": ("k8s", "=k8s"),
    "utf8": ("utf", "=utf8"),
    "module.attr": ("modul attr", "=module =moduleattr =module.attr"),
    "std::vector": ("std vector", "=stdvector =std::vector"),
    "obj.method()": ("obj method", "=objmethod =obj.method()"),
    # paths
    "path/to/file.py": ("path to file py", "=filepy =pathtofilepy =path/to/file.py =file.py"),
    "C:\\Users\\bob\\notes.txt": (
        "c user bob note txt",
        "=^c =users =notes =notestxt =cusersbobnotestxt =c:\\users\\bob\\notes.txt =c: =notes.txt",
    ),
    "../etc": ("etc", "=etc =../etc =.."),
    # numbers and names with numbers
    "v1.2.3": ("1.2.3", "=v123 =1.2.3 =v1.2.3"),
    "1.2.3": ("1.2.3", "=123 =1.2.3"),
    "CVE-2024-3094": ("cve 2024 3094", "=cve20243094 =cve-2024-3094"),
    "#1234": ("1234", "=1234 =#1234"),
    "2024-03-15": ("2024 03 15", "=20240315 =2024-03-15"),
    "E42": ("42", "=e42"),
    # short names
    "C++": ("c++", "=c++"),
    "C#": ("c#", "=c#"),
    ".NET": ("net", "=net =.net"),
    "Go": ("go", "=^go"),
    "AI": ("ai", "=^ai"),
    "go": ("go", ""),
    "ai": ("ai", ""),
    # punctuation that is part of the name
    "@decorator": ("decor", "=decorator =@decorator"),
    "--flag": ("flag", "=flag =--flag"),
    "--no-verify": ("no verifi", "=verify =noverify =--no-verify"),
    "-v": ("-v", "=-v"),
    "$ENV": ("env", "=env =$env"),
    "${HOME}": ("home", "=home =${home}"),
    # accents and letters
    "naïve": ("naiv", "=naive"),
    "Zoë": ("zoe", "=^zoe"),
    "Łukasz": ("lukasz", ""),
    "Артём": ("артем", ""),
    "café": ("cafe", ""),
    "ﬁle": ("file", ""),
    # scripts without spaces
    "数据库": ("数据 据库", "=数 =据 =库"),
    "数": ("数", ""),
    "메시지": ("메시 시지", "=메 =시 =지"),
    "サーバー": ("サー ーバ バー", "=サ =ー =バ"),
    "NATS上": ("nat", "=nats =nats上"),
    # symbols
    "🚀": ("", "=🚀"),
    "ship🚀": ("ship", "=ship🚀 =ship =🚀"),
    # possessives, contractions, quotes, brackets
    "Anna's": ("anna", ""),
    "Anna’s": ("anna", ""),
    "ANNA'S": ("anna", ""),
    "don't": ("dont", ""),
    '"quoted"': ("quot", "=quoted"),
    "“quoted”,": ("quot", "=quoted"),
    "(bracketed).": ("bracket", "=bracketed"),
    "[link]": ("link", ""),
    "`code`;": ("code", ""),
    "**bold**": ("bold", ""),
    "what?!": ("what", ""),
    "...": ("", "=..."),
}  # fmt: skip


# No control or format characters: FTS5 splits at those; see the last tests.
_SPACES = " \t\n\r\x0b\x0c\x1c\x85\xa0\u2003\u3000"
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff"
# Nor what is a space and an accent by its compatible form, such as ´.
_SPACED = "".join(
    chr(number)
    for number in range(0x30000)
    if " " in unicodedata.normalize("NFKC", chr(number)) and not chr(number).isspace()
)
_KEPT = st.characters(
    exclude_categories=["Cs", "Cc", "Cf"], exclude_characters=f"\ufffe\uffff{_SPACED}"
)
TEXTS = st.text(_KEPT | st.sampled_from(_SPACES + _INVISIBLE), max_size=80)
