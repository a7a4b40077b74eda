"""Whether a text speaks to the model that will read it, the way planted text does.

Only what is plain is found: orders to drop earlier instructions, to keep things from the user, to
send secrets away, claims of authority. Weak signs count when several come together.
"""

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_ENOUGH: Final = 2
_MOST_CHARS: Final = 200_000
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{40,4000}={0,2}")
_WIDE: Final = re.compile("[\uff21-\uff5a]{2}")


@dataclass(frozen=True)
class _Sign:
    """A way of speaking, tried where one of some beginnings of words occurs."""

    weight: int
    stems: tuple[str, ...]
    pattern: re.Pattern[str]


def _sign(weight: int, stems: str, pattern: str) -> _Sign:
    return _Sign(weight, tuple(stems.split()), re.compile(pattern, re.IGNORECASE))


_DROPPING: Final = "ignor disregard forget overrid bypass discard aside drop following"
_SECRETS: Final = (
    r"secret|token|api.?key|credential|\.env\b|ssh key|password|private key|conversation"
    r"|chat history|environment variable|memories"
)
_ENGLISH: Final = (
    _sign(2, _DROPPING,
          r"\b(?:ignor|disregard|forget|overrid|bypass|discard|set aside|drop|stop following)"
          r"\w{0,4}\b[^.\n]{0,24}\b(?:previous|prior|above|earlier|preceding|existing|all|any|your"
          r"|every)\b[^.\n]{0,24}\b(?:instruct|prompt|guideline|directive|orders\b|safety"
          r"|guardrail|training|restrictions|system message)"),
    _sign(2, "instructions directives rules",
          r"\b(?:ignor|disregard|drop|forget|overrid)\w{0,4}\b (?:all |any |the |your )?"
          r"(?:previous |prior |earlier )?(?:rules|instructions|directives) (?:above|and|\.)"),
    _sign(1, "instructions", r"\bstop following (?:your|the|all|any) \w{0,12} ?instructions"),
    _sign(2, "prompt instructions",
          r"\b(?:reveal|print|output|show|repeat|leak|disclose|dump|recite)\b[^.\n]{0,24}\b(?:your"
          r"|the) (?:\w+ )?(?:system prompt|hidden instructions|initial instructions)"),
    _sign(2, "http @ webhook attacker",
          r"\b(?:send|post|upload|exfiltrat\w+|forward|transmit|e-?mail|append|include|encode)\b"
          rf"[^.\n]{{0,60}}(?:{_SECRETS})[^\n]{{0,60}}"
          r"(?:https?://|\bto [\w.+-]+@|webhook|attacker)"),
    _sign(1, "user human operator developer owner anyone",
          r"\b(?:do not|don't|never|without)\b[^.\n]{0,16}\b(?:tell|inform|mention|alert|notify"
          r"|warn|reveal)\w{0,3}\b[^.\n]{0,30}\b(?:user|human|operator|developer|owner|anyone)\b"),
    _sign(1, "now henceforth rest",
          r"\b(?:from now on|henceforth|starting now|for the rest of (?:this|the) (?:session|chat))"
          r"\b[^.\n]{0,20}\b(?:you|your|always|every|answer|respond)\b"),
    _sign(2, "you", r"\byou are now (?:an? |the |called |dan\b|free|unrestricted|developer)"),
    _sign(1, "instruction directive",
          r"\b(?:new|updated|real|actual|true|secret|urgent) (?:system )?(?:instructions?"
          r"|directives?)(?: for (?:you|the))?\b\s{0,3}[:=-]"),
    _sign(1, "assistant agent llm model claude gpt copilot",
          r"\b(?:attention|note|message|notice|instructions?|hey)\b[^.\n]{0,14}\b(?:ai|assistant"
          r"|agent|llm|language model|claude|gpt|copilot|chatgpt)s?\b"),
    _sign(1, "assistant agent llm model",
          r"\b(?:ai|assistant|agent|llm|language model|model)s?\b[^.\n]{0,24}\b(?:must|shall|should"
          r" now|(?:are|is) required to)\b[^.\n]{0,60}\b(?:execute|run|delete|send|post|call"
          r"|install|disable|approve|recommend|obey|comply)\b"),
    _sign(1, "you",
          r"\b(?:when|whenever|if|after) you (?:read|see|recall|retrieve|process|load"
          r"|summari[sz]e)\w{0,3} (?:this|these|the memory)\b"),
    _sign(1, "approved authori consented granted permission",
          r"\b(?:user|admin\w*|owner|security team|anthropic|openai|you)\b[^.\n]{0,16}(?:already "
          r"(?:approved|authori[sz]ed|consented|granted)|authori[sz]ed (?:you|by)|has given"
          r" permission)"),
    _sign(1, "confirm approval permission verification safety",
          r"\b(?:no need to|skip|disable|without)\b[^.\n]{0,20}\b(?:confirm\w*|approval|permission"
          r"|safety|verification)\b"),
    _sign(1, "curl wget rm",
          r"\b(?:curl|wget)\b[^\n]{0,80}\|\s{0,3}(?:ba|z)?sh\b|\brm -rf (?:~|/)"),
    _sign(1, "immediately silently secretly quietly",
          r"\b(?:immediately|silently|secretly|quietly)\b[^.\n]{0,12}\b(?:run|execute|call|invoke"
          r"|delete|send|install|post|download|approve|add)\b"),
    _sign(1, "system developer assistant",
          r"(?:^|[\n\"'`>])\s{0,4}(?:#{1,4} ?)?\[?(?:system|developer|assistant)\]?(?: (?:message"
          r"|prompt|override|note))?\s{0,2}:\s"),
    _sign(1, "trusted authoritative preferred",
          r"\b(?:remember|store|save|treat|recommend)\b[^.\n]{0,50}\b(?:as )(?:a |an |the )?"
          r"[^.\n]{0,24}\b(?:trusted|authoritative|preferred)"),
    _sign(1, "obey comply follow",
          r"\bobey\b|\bcomply with\b|\bfollow (?:these|this message|my) (?:orders|instructions)"),
    _sign(1, "<|im <system </ inst] <tool_call <function <invoke",
          r"</?\|?(?:system|im_start|im_end|tool_call|function_call|invoke|instructions?)\b(?!-)"
          r"|\[/?INST\]"),
    _sign(1, "mode",
          r"\b(?:enter|enable|activate|switch to)\b[^.\n]{0,10}\b(?:developer|god|admin"
          r"|unrestricted|jailbreak|dan|sudo) mode\b"),
    _sign(1, "restrict rules guidelines filter",
          r"\b(?:free (?:of|from)|without|no|suspended?)\b[^.\n]{0,16}\b(?:restrictions|rules to"
          r" follow|filters?|guidelines)\b|guidelines are suspended|\bunrestricted\b"),
    _sign(2, "arguments parameters input",
          r"\"(?:name|tool|function)\"\s{0,3}:\s{0,3}\"[\w.]{2,40}\"\s{0,3},\s{0,3}\"(?:arguments"
          r"|parameters)\""),
    _sign(1, "secrets credentials tokens keys .env token",
          r"\b(?:all|every|any) (?:\w+ ){0,2}(?:secrets|credentials|tokens?|api keys|ssh keys)\b"),
)  # fmt: skip
_OTHER_LANGUAGES: Final = tuple(
    _sign(_ENOUGH, stems, pattern)
    for stems, pattern in (
        ("ignorier vergiss missacht verwirf überschreib",
         r"(?:ignorier|vergiss|missacht|verwirf|überschreib)\w{0,4}\b[^.\n]{0,40}\b(?:alle|deine"
         r"|sämtliche|bisherige|vorherige|obige|früher)\w{0,2}\b[^.\n]{0,30}(?:anweisung|vorgabe"
         r"|befehl|instruktion|regel)"),
        ("benutzer nutzer anwender",
         r"(?:ohne|nicht)\b[^.\n]{0,16}(?:benutzer|nutzer|anwender)\b[^.\n]{0,16}zu (?:inform|sag"
         r"|frag|erwähn)"),
        ("oubli néglig abstraction ignor",
         r"(?:ignor|oubli|néglig|fais abstraction)\w{0,5}[^.\n]{0,40}(?:instructions|consignes"
         r"|directives)"),
        ("utilisat", r"(?:ne|sans)\b[^.\n]{0,16}\b(?:dis|dites|prévenir|informer)\b[^.\n]{0,16}"
         r"l['’]utilisat"),
        ("instrucciones indicaciones",
         r"(?:ignor|olvid|desestim|omit|descart)\w{0,4}[^.\n]{0,40}(?:instrucciones|indicaciones)"),
        ("usuari", r"(?:no|sin)\b[^.\n]{0,8}\b(?:digas|informar|avisar|menciones)\b[^.\n]{0,16}"
         r"usuari"),
        ("istruzioni direttive", r"(?:ignor|dimentic|trascur)\w{0,4}[^.\n]{0,40}(?:istruzioni"
         r"|direttive)"),
        ("instruções diretrizes", r"(?:ignor|esqueç|desconsider|descart)\w{0,4}[^.\n]{0,40}"
         r"(?:instruções|diretrizes)"),
        ("инструкци указани правила команд",
         r"(?:игнорир|забуд|не обращай|отбрось|пренебрег)\w{0,6}[^.\n]{0,40}(?:инструкци|указани"
         r"|команд|правила)"),
        ("пользовател", r"не (?:говори|сообщай|рассказывай|упоминай)\b[^.\n]{0,16}пользовател"),
        ("інструкці вказівк", r"(?:ігнору|забуд)\w{0,5}[^.\n]{0,40}(?:інструкці|вказівк)"),
        ("instrukcj polece wytyczn",
         r"(?:ignoruj|zapomnij|pomiń)\w{0,3}[^.\n]{0,40}(?:instrukcj|polece|wytyczn)"),
        ("instructies aanwijzingen opdrachten",
         r"(?:negeer|vergeet)\b[^.\n]{0,40}(?:instructies|aanwijzingen|opdrachten)"),
        ("instruktion anvisning", r"(?:ignorera|glöm)\b[^.\n]{0,40}(?:instruktion|anvisning)"),
        ("talimat yönerge", r"(?:talimat|yönerge)[^.\n]{0,40}(?:yok say|görmezden gel|unut)"),
        ("指令 指示 规则 規則 提示 命令 要求",
         r"(?:忽略|无视|無視|忘记|忘掉|不要理会|忘記)[^。\n]{0,20}(?:指令|指示|规则|規則|提示|要求|命令)"),
        ("用户", r"(?:不要|别|勿)[^。\n]{0,4}(?:告诉|告知|通知|提醒)[^。\n]{0,4}用户"),
        ("無視 忘れ", r"(?:指示|命令|ルール|プロンプト|指令)[^。\n]{0,16}(?:無視|忘れ)"),
        ("ユーザー", r"ユーザー[^。\n]{0,6}(?:言わず|知らせず|伝えず|言うな|教えるな)"),
        ("무시 잊", r"(?:지시|명령|규칙|프롬프트|지침)[^.\n]{0,16}(?:무시|잊)"),
        ("التعليمات الأوامر القواعد",
         r"(?:تجاهل|انس|أهمل)[^.\n]{0,40}(?:التعليمات|الأوامر|القواعد)"),
        ("निर्देश आदेश", r"(?:निर्देश|आदेश)[^।\n]{0,30}(?:अनदेखा|नज़रअंदाज़|भूल)"),
        ("quên qua", r"(?:bỏ qua|quên)[^.\n]{0,30}(?:hướng dẫn|chỉ thị|lệnh)"),
        ("abaikan lupakan", r"(?:abaikan|lupakan)[^.\n]{0,30}(?:instruksi|perintah|arahan)"),
    )
)  # fmt: skip
_SIGNS: Final = (*_ENGLISH, *_OTHER_LANGUAGES)


def instruction_at(text: str) -> int | None:
    """Where a text begins to speak to its reader as planted text does, or `None`.

    Of very long texts only the beginning is read.
    """
    text = text[:_MOST_CHARS]
    at = _weighed(text, _ENOUGH)
    if at is None:
        for run in _BASE64.finditer(text):
            if _decodes_to_instruction(run[0]):
                return run.start()
    return at


def _weighed(text: str, enough: int) -> int | None:
    if not text.isascii() and _WIDE.search(text) is not None:
        text = unicodedata.normalize("NFKC", text)
    lowered = text.lower()
    weight, first = 0, len(text)
    for sign in _SIGNS:
        for stem in sign.stems:
            if stem in lowered:
                match = sign.pattern.search(text)
                if match is not None:
                    weight += sign.weight
                    first = min(first, match.start())
                break
    return first if weight >= enough else None


def _decodes_to_instruction(run: str) -> bool:
    whole = run[: len(run) - len(run) % 4]
    try:
        decoded = base64.b64decode(whole, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    # What hides itself needs less to be told by.
    return _weighed(decoded, 1) is not None
