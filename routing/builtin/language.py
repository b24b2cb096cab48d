"""Words of the extractive model: what carries no meaning, how words are reduced, and what it says itself."""

import re
import unicodedata


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOPWORDS: dict[str, frozenset[str]] = {
    "en": _words(
        """
        a about an and any are as at be been but by can could did do does for from get has have how i if in
        into is it its me my of on or our should so tell that the their them then there these they this to
        up us was we were what when where which who whom whose why will with would you your please many much
        """
    ),
    "es": _words(
        """
        a al algo como con cual cuales cuando cuanto cuantos de del donde el ella en es esta este esto ha
        hay la las lo los me mi mis nos o para pero por porque puedo que quien se si sin son su sus te tiene
        tu un una y ya yo
        """
    ),
    "de": _words(
        """
        aber als am an auf aus bei bin bis das dass dem den der des die du ein eine einem einen einer er es
        fur gibt hat ich ihr im in ist kann man mein mich mir mit nach nicht oder sich sie sind so uber um
        und uns von vor wann warum was welche wer wie wir wird wo zu zum zur
        """
    ),
    "fr": _words(
        """
        a au aux avec ce ces comment dans de des du elle en est et il ils je la le les leur leurs lui ma
        mais mes mon ne nos notre nous ou par pas peut pour pourquoi puis qu quand que quel quelle quels qui
        sa se ses si son sont sur ta te tu un une vos votre vous y
        """
    ),
    "pt": _words(
        """
        a ao aos as com como da das de do dos e ela ele em entre essa esse esta este eu ha isso ja mais mas
        me meu minha na nas no nos o onde os ou para pela pelo por porque posso quais qual quando que quem
        se sem seu seus sua tem um uma voce
        """
    ),
    "it": _words(
        """
        a ad ai al alla anche che chi ci come con cosa da dal dalla dei del della di dove e ed gli ha ho i
        il in io la le lo ma mi nel nella non o per perche piu posso quale quali quando questo quanto se si
        sono su sul tra tu un una uno
        """
    ),
}
ALL_STOPWORDS = frozenset().union(*STOPWORDS.values())
HOW = _words(
    """
        how como wie comment come
        """
)
ENGLISH_HOW = re.compile(r"^\W*(how (do|can|to|should|would|does)|what are the steps|where do i)\b")

NOTHING = {
    "en": (
        "I answer only from this workspace's documents, and I found nothing in them about this. "
        "Upload a document under Knowledge, or choose another model."
    ),
    "es": (
        "Solo respondo a partir de los documentos de este espacio y no encontré nada sobre esto. "
        "Sube un documento en Conocimiento o elige otro modelo."
    ),
    "de": (
        "Ich antworte nur aus den Dokumenten dieses Arbeitsbereichs und habe darin nichts dazu gefunden. "
        "Lade unter Wissen ein Dokument hoch oder wähle ein anderes Modell."
    ),
    "fr": (
        "Je réponds uniquement à partir des documents de cet espace et je n'y ai rien trouvé à ce sujet. "
        "Ajoutez un document dans Connaissances ou choisissez un autre modèle."
    ),
    "pt": (
        "Respondo apenas com base nos documentos deste espaço e não encontrei nada sobre isso. "
        "Envie um documento em Conhecimento ou escolha outro modelo."
    ),
    "it": (
        "Rispondo solo in base ai documenti di questo spazio e non ho trovato nulla al riguardo. "
        "Carica un documento in Conoscenza o scegli un altro modello."
    ),
}
CLOSEST = {
    "en": "The documents do not answer this directly. The closest passage:",
    "es": "Los documentos no responden a esto directamente. El pasaje más cercano:",
    "de": "Die Dokumente beantworten das nicht direkt. Die nächstliegende Stelle:",
    "fr": "Les documents n'y répondent pas directement. Le passage le plus proche :",
    "pt": "Os documentos não respondem diretamente a isso. A passagem mais próxima:",
    "it": "I documenti non rispondono direttamente. Il passaggio più vicino:",
}

_word = re.compile(r"[^\W_]+(?:['’_][^\W_]+)*")
_ideographs = re.compile(r"[぀-ヿ㐀-鿿]+")
_SUFFIXES = (
    "ations", "ation", "ingly", "mente", "ments", "ment", "ungen", "ions", "ings", "ion", "ing", "ung", "ies",
    "ied", "ers", "ed", "es", "as", "os", "er", "en", "ar", "ir", "s", "e", "y", "a", "o",
)  # fmt: skip
_SHORTEST_STEM = 4


def plain(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            return word[: -len(suffix)]
    return word


def _bigrams(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(len(run) - 1)] or [run]


def _carries_meaning(word: str) -> bool:
    return word not in ALL_STOPWORDS and (len(word) > 1 or word.isdigit())


def terms(text: str) -> list[str]:
    """The words that carry meaning, reduced to stems; ideographs as pairs of neighbours."""
    found: list[str] = []
    lowered = plain(text)
    for run in _ideographs.findall(lowered):
        found.extend(_bigrams(run))
    for word in _word.findall(_ideographs.sub(" ", lowered)):
        word = word.partition("'")[0].partition("’")[0] if word.endswith(("'s", "’s")) else word
        parts = word.split("_")
        if len(parts) > 1:
            found.append(word)  # a name such as OLLAMA_CPU_URL, whole and in its parts
        found.extend(stem(part) for part in parts if _carries_meaning(part))
    return found


def language_of(text: str) -> str:
    """The language whose small words are most frequent in `text`; English in doubt."""
    words = _word.findall(plain(text))
    counts = {language: sum(word in small for word in words) for language, small in STOPWORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts["en"] else "en"


def asks_how(question: str) -> bool:
    """Whether steps are wanted rather than a fact."""
    lowered = plain(question)
    words = _word.findall(lowered)
    if ENGLISH_HOW.match(lowered):
        return True
    return bool(words) and words[0] in HOW - {"how"} and language_of(question) != "en"
