"""What a word problem is made of, and the pools of things that problems are about. All wording is our own.

Problems give their wording many alternatives, openings and orders, because near-duplicate filtering is where
template data usually ends: two problems of one task should share less than half of their word 3-grams.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Difficulty = Literal["easy", "hard"]


@dataclass(frozen=True, slots=True)
class Step:
    """One computed step: `name` = `expression` (left to right); `{calc}` or `{paid}` in the wording shows it.

    With `whole` the value counts things and must be a whole number; otherwise two decimals are allowed.
    """

    name: str
    expression: str
    wording: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of word problem. `facts` may be told in any order unless `ordered`.

    `numbers` are drawn; `given` are computed from them and told as facts (so that they come out whole).
    """

    name: str
    difficulty: Difficulty
    numbers: Mapping[str, Sequence[int]]
    things: Mapping[str, str]
    openings: tuple[str, ...]
    facts: tuple[str, ...]
    question: str
    steps: tuple[Step, ...]
    ordered: bool = False
    given: Mapping[str, str] = field(default_factory=dict)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


THINGS: Mapping[str, tuple[str, ...]] = {
    "goods": _split(
        "ripe mangoes, candles, notebooks, jars of honey, ceramic mugs, umbrellas, tulip bulbs, bars of soap,"
        "paint brushes, scarves, light bulbs, packs of tea, bags of rice, cactus plants, wooden spoons, cushions,"
        "batteries, lemons, tins of sardines, bottles of olive oil, sketch pads, gloves, garlic bulbs, folding chairs"
    ),
    "wares": _split(
        "postcards, pencils, marbles, buttons, stickers, envelopes, screws, seed packets, badges, beads, magnets,"
        "key rings, corks, paper clips, balloons, stamps, ribbons, hooks, coasters, bookmarks, washers, clothes pegs"
    ),
    "treats": _split(
        "walnut cookies, samosas, plum dumplings, cheese rolls, almond biscuits, rice balls, blueberry muffins,"
        "cinnamon buns, spinach pies, oat bars, pretzels, coconut sweets, spring rolls, pancakes, fig pastries, tamales"
    ),
    "crops": _split(
        "tomato plants, pepper plants, rose bushes, bean vines, strawberry plants, apple saplings, cabbages,"
        "sunflowers, lavender shrubs, pumpkins, leeks, grape vines, lettuces, olive saplings, fennel plants"
    ),
    "wish": _split(
        "second-hand bicycle, telescope, pair of hiking boots, guitar, tent, sewing machine, drone, chess computer,"
        "skateboard, winter coat, camera lens, keyboard, kayak, microscope, drum pad, pottery wheel, violin bow"
    ),
    "shop": _split(
        "corner shop, market hall, village store, garden centre, flea market, station kiosk, harbour market,"
        "craft fair, hardware store, museum shop, school bazaar, wholesale depot, farm shop, supermarket"
    ),
    "job": _split(
        "walking dogs, tutoring, mowing lawns, delivering papers, washing cars, mending bikes, selling lemonade,"
        "translating letters, feeding cats, stacking shelves, playing the organ, repairing phones, picking apples"
    ),
    "trip": _split(
        "lighthouse, mountain hut, grandparents' farm, capital, film festival, coast, cattle market, observatory,"
        "national park, ferry port, chess tournament, old monastery, salt mine, training camp, waterfall"
    ),
    "vehicle": _split(
        "van, night train, motorbike, tour bus, truck, electric car, river boat, tractor, mail coach, cargo bike,"
        "camper, hatchback, delivery scooter, ferry"
    ),
    "machine": _split(
        "printing press, bottling line, knitting machine, label printer, packing robot, brick press, pasta machine,"
        "3D printer, stamping machine, sorting belt, laser cutter, candle mould, nail cutter, envelope folder"
    ),
    "tank": _split(
        "water tank, fish pond, rain barrel, swimming pool, brewing vat, irrigation basin, fire reservoir, bath,"
        "milk cooler, paddling pool, cistern, dye tub"
    ),
    "book": _split(
        "detective novel, biography, history of tea, travel diary, atlas of birds, poetry collection, law textbook,"
        "science fiction saga, cookery book, anthology of letters, play, manual on sailing, family chronicle"
    ),
    "people": _split(
        "students, visitors, villagers, employees, club members, passengers, volunteers, singers, runners, tenants,"
        "cyclists, nurses, campers, farmers, readers, apprentices, dancers, anglers"
    ),
    "place": _split(
        "school, library, factory, choir, fishing village, sports club, hospital ward, summer camp, orchestra, museum,"
        "cooperative, research station, theatre group, housing block, island community, evening course"
    ),
    "habit": _split(
        "swim before breakfast, drink coffee, own a dog, speak Portuguese, wear glasses, take the bus, play chess,"
        "grow vegetables, sing at home, eat no meat, ride a bicycle, keep bees, read on paper, work at night"
    ),
    "friends": _split(
        "cousins, neighbours, classmates, team mates, sisters, colleagues, nephews, guests, room-mates, pupils,"
        "grandchildren, fellow hikers, band members, flatmates"
    ),
    "practice": _split(
        "cello, Arabic, juggling, sprint starts, mental arithmetic, calligraphy, yoga, chess openings, the trumpet,"
        "typing, free throws, sign language, tap dance, the accordion, archery, bird calls"
    ),
    "visit": _split(
        "patients, customers, job applicants, driving pupils, violin pupils, pets, tax clients, portrait sitters,"
        "flat viewers, blood donors, passport applicants, bicycle repairs"
    ),
    "room": _split(
        "kitchen floor, terrace, chapel floor, bathroom wall, hallway, workshop floor, balcony, entrance hall,"
        "cellar floor, school corridor, patio, shower room, gym floor, laundry room"
    ),
    "field": _split(
        "vegetable garden, paddock, orchard, goat pen, playground, vineyard, chicken run, sports ground, car park,"
        "herb garden, horse field, construction site, camp site, cemetery, duck yard"
    ),
    "dish": _split(
        "lentil soup, pancake batter, bread dough, fish stew, fruit punch, pumpkin curry, tomato sauce, rice pudding,"
        "apple crumble, vegetable chili, cocoa, pizza dough, semolina porridge, onion tart, berry jam"
    ),
    "part": _split(
        "flour, milk, stock, sugar, lentils, chopped onions, water, oats, cream, diced potatoes, cornmeal, apple juice"
    ),
}

# Facts beside the point, one of which may stand in any problem.
ASIDES: tuple[str, ...] = (
    "It is a [windy|foggy|quiet|hot|grey|frosty|busy] [morning|afternoon|evening|day] in [March|May|July|October].",
    "[A radio|Someone|A neighbour] is [playing|humming] [an old song|a march|the same tune] [next door|outside|again].",
    "[The bus|A letter|The electrician|The rain|Lunch] is late[ once more| again|, as usual|].",
    "[Two|A few|Several] [pigeons|sparrows|children|cats] [watch|are watching] from the [roof|fence|wall|window].",
    "[Nobody|No one] [expected|had planned] [this|so much work|such weather].",
    "{who} [has slept badly|is in a good mood|wears a red hat|forgot the phone|hums softly|has an hour to spare].",
    "[Last year|In spring|A month ago] {who} moved to [a new street|the north|another town|the ground floor].",
    "{whose} [sister|uncle|teacher|old friend|landlady|dentist] [came up with the idea|is curious|wants to know too].",
    "[There is|One can smell] [fresh bread|wet paint|coffee|cut grass|smoke] [in the air|from across the road].",
    "[Everything|All of this] was [agreed|written down|noted] on [Monday|Tuesday|Thursday|Friday].",
    "[The lights flicker|A door slams|Church bells ring|The telephone rings] [now and then|for a moment|twice].",
    "[The town|The valley|The whole street] is [getting ready|decorated] for the [festival|election|marathon|parade].",
)
