"""What a maker of tasks returns, and words that several makers draw from."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Item(NamedTuple):
    """A task, its right answer, and the columns by which a verifier judges answers to it."""

    prompt: str
    response: str
    fields: Mapping[str, Any]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


NAMES = _split(
    "Amina Haddad, Beatriz Lopes, Chiara Conti, Daniel Okoye, Esi Mensah, Farid Karimi, Greta Holm, Hana Sato, "
    "Ivan Petrov, Jonas Weber, Keiko Mori, Leila Nasser, Mateus Silva, Nadia Rahman, Oksana Bondar, Pedro Vidal, "
    "Quinn Murphy, Rosa Marin, Stefan Kovac, Tamar Levi, Uma Nair, Viktor Lind, Wei Zhang, Ximena Rojas, Yusuf Demir, "
    "Zofia Nowak, Bilal Aziz, Camille Roux, Devika Rao, Enzo Bruni, Freya Olsen, Gulnara Saidova, Hassan Omar"
)
TOWNS = _split(
    "Porto, Tartu, Ghent, Cuenca, Malmo, Trento, Galway, Izmir, Kandy, Salta, Kumasi, Bergen, Lviv, Nara, Oaxaca, "
    "Perth, Quito, Riga, Sfax, Turku, Utrecht, Varna, Windhoek, Xalapa, York, Zadar, Bologna, Cork, Dakar, Essen"
)
GOODS = _split(
    "desk lamp, rain coat, tea set, bicycle pump, garden chair, wool blanket, travel mug, chess board, camping stove, "
    "wall clock, paint roller, ink cartridge, piano stool, kitchen scale, door handle, sleeping bag, water filter, "
    "picture frame, bread knife, tool box, desk fan, yoga mat, music stand, plant pot, mirror, ladder, helmet, tripod"
)
MONTHS = _split("January, February, March, April, May, June, July, August, September, October, November, December")
