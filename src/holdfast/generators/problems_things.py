"""Word problems about sharing, and about lengths, areas and amounts."""

from holdfast.generators.problem import Problem, Step

SHARING = (
    Problem(
        "split",
        "easy",
        {"each": range(3, 20), "k": range(2, 10), "gone": range(3, 30)},
        {"a": "treats", "f": "friends"},
        (
            "{who} [has made|brings home|was given|ordered too many] {a}.",
            "[There is something to celebrate|It is {whose} last day|The oven is still warm].",
            "{whose} {f} [love|ask for|are waiting for] {a}.",
        ),
        (
            "[There are|{who} counts|On the table lie|The box holds] {n} [of them|{a}].",
            "[The dog eats|A guest takes|{who} keeps back|The bakery buys] {gone}[ of them|].",
            "[The rest is|What remains is|All others are] [shared|divided|handed out] [equally|fairly] among {k} {f}.",
        ),
        "How many {a} [does each one get|are there for each|go to every one of the {f}]?",
        (
            Step("x", "n - gone", "[Left to share:|What remains is|After that there are] {calc}."),
            Step("y", "x / k", "[Each one gets|Per person:|Shared among {k}:] {calc}."),
        ),
        ordered=True,
        given={"rest": "each * k", "n": "rest + gone"},
    ),
    Problem(
        "ratio",
        "hard",
        {"a": range(2, 9), "b": range(2, 9), "u": range(4, 40)},
        {"x": "crops", "place": "place", "friends": "friends"},
        (
            "{who} and Robin [inherit|win|found|rent out] [some land|a field|a nursery].",
            "[On a fair|At an auction], {who} and Robin [bought|acquired] {x}.",
            "{who} [runs a nursery|has a green thumb] and has [a partner|a helper], Robin.",
        ),
        (
            "[There are|They have|The count is] {n} {x}[ altogether|].",
            "They [share them|divide them|split everything] in the ratio {a} to {b}[, {who} first|, in that order|].",
        ),
        "How many {x} [does {who} get|belong to {who}|are {whose}]?",
        (
            Step("p", "a + b", "[Parts in all:|The ratio has|Number of parts:] {calc}[ parts|]."),
            Step("one", "n / p", "[One part is|Each part holds|Per part:] {calc}."),
            Step("y", "one * a", "[{who} gets {a} parts:|{whose} share is|So {who} has] {calc} {x}."),
        ),
        ordered=True,
        given={"parts": "a + b", "n": "parts * u"},
    ),
    Problem(
        "repack",
        "hard",
        {"t": range(4, 25), "k": range(5, 30), "bad": range(2, 30), "j": range(3, 13)},
        {"a": "wares", "place": "place", "shop": "shop"},
        (
            "A lorry [stops|unloads|breaks down] at the {shop}[ where {who} works|].",
            "{who} [sorts the storeroom|repacks goods] [for|of] a {place}.",
            "[A flood|A fall|A mouse] has [damaged some goods|caused trouble] in the {shop}.",
        ),
        (
            "[There are|It brings|{who} opens] {t} boxes with {k} {a} [each|in each].",
            "{bad} {a} are [broken|bent|missing|useless].",
            "[The good ones|All others|The rest] [go|are put|are packed] into bags of {j}.",
        ),
        "How many bags [does {who} fill|are filled|does that make]?",
        (
            Step("x", "t * k", "[All boxes hold|Delivered:|In the boxes were] {calc} {a}."),
            Step("y", "x - bad", "[Good ones:|Without the bad ones:|That leaves] {calc}."),
            Step("z", "y / j", "[Bags:|They fill|In bags of {j}:] {calc}[ bags|]."),
        ),
        ordered=True,
    ),
    Problem(
        "fraction",
        "easy",
        {"u": range(4, 40), "k": range(2, 9), "gives": range(2, 25)},
        {"a": "goods", "f": "friends"},
        (
            "{who} [collects|stores|trades in|hoards] {a}.",
            "[While moving house|While tidying up|After the fire], {who} [counts|finds] {a}.",
            "{who} [cannot say no|likes to share].",
        ),
        (
            "[At first there are|The shelf holds|{who} owns] {n} {a}.",
            "[One part in {k}|1/{k} of them|A share of 1/{k}] [is sold|is lost|goes to a museum|gets wet].",
            "[Then|Later|The next day] {who} [gives|lends|sends] {gives} [to the {f}|to one of the {f}|away].",
        ),
        "How many {a} [are left|remain|does {who} still have]?",
        (
            Step("x", "n / k", "[Gone at first:|1/{k} of {n} is|The first loss is] {calc}."),
            Step("y", "n - x", "[Then there are|That leaves|Remaining:] {calc}."),
            Step("z", "y - gives", "[In the end:|After giving some away:|{who} still has] {calc}."),
        ),
        ordered=True,
        given={"n": "u * k"},
    ),
    Problem(
        "teams",
        "easy",
        {"boys": range(8, 60), "girls": range(8, 60), "k": range(3, 12)},
        {"place": "place", "visit": "visit", "trip": "trip"},
        (
            "The {place} [makes an excursion|sends its juniors] to the {trip}.",
            "{who} [organises|looks after|is in charge of] a [tournament|camp|day out] [for|of] a {place}.",
            "[Rain is forecast|The coaches are booked] for the trip to the {trip}.",
        ),
        (
            "[Names on the list:|Signed up are|There come] {boys} boys and {girls} girls.",
            "[They form|{who} makes|One needs] groups of {k}.",
        ),
        "How many groups [are there|does that make|can be formed]?",
        (
            Step("x", "boys + girls", "[All children:|Together they are|Heads on the list:] {calc}."),
            Step("y", "x / k", "[Groups:|In groups of {k}:|So there are] {calc}[ groups|]."),
        ),
    ),
)

MEASURES = (
    Problem(
        "fence",
        "hard",
        {"l": range(5, 60), "w": range(4, 50), "gate": range(1, 5), "p": range(3, 25)},
        {"field": "field", "shop": "shop"},
        (
            "{who} [fences in|encloses|looks after] a {field}.",
            "A {field} [needs a fence|must be closed off]; {who} [has the order|does the work].",
            "[Deer|Boars|Goats from next door] [ruin|trample] the {field}.",
        ),
        (
            "[It is a rectangle of|The {field} measures] {l} [m|metres] by {w} [m|metres].",
            "[A gap of {gate} m stays|An opening of {gate} metres is left|The gate takes {gate} m and needs no fence].",
            "[One metre of fence costs|The {shop} charges|Wire and posts come to] ${p}[ a metre|].",
        ),
        "[What does the fence cost|How many dollars does {who} pay for it|What is the price of the whole fence]?",
        (
            Step("h", "l + w", "[Half the way round:|Length plus width:|Two sides:] {calc} m."),
            Step("x", "h * 2", "[All the way round:|The perimeter is|Both pairs:] {calc} m."),
            Step("y", "x - gate", "[Without the opening:|Fence needed:|To be fenced:] {calc} m."),
            Step("z", "y * p", "[It costs|Price:|At ${p} a metre:] {paid}."),
        ),
        ordered=True,
    ),
    Problem(
        "tiles",
        "hard",
        {"l": range(3, 16), "w": range(2, 13), "k": (4, 9, 10, 12, 16, 20, 25), "b": range(4, 21)},
        {"room": "room", "shop": "shop"},
        (
            "{who} [tiles|renovates|is laying out] a {room}.",
            "The {room} [is to be tiled|has a burst pipe behind it|looks shabby].",
            "[With a friend's help|Alone|In two days], {who} [will redo|covers] the {room}.",
        ),
        (
            "[Its sides are|It measures|The plan says] {l} m and {w} m.",
            "[A square metre takes|For one square metre {who} needs] {k} tiles.",
            "[The {shop} sells them|Tiles come] in boxes of {b}.",
        ),
        "How many boxes [are needed|must {who} order|does it take]?",
        (
            Step("x", "l * w", "[Area:|The surface is|Length times width:] {calc} square metres."),
            Step("y", "x * k", "[Tiles:|That takes|Number of tiles:] {calc}[ tiles|]."),
            Step("z", "y / b", "[Boxes:|In boxes of {b}:|{who} orders] {calc}."),
        ),
    ),
    Problem(
        "recipe",
        "easy",
        {"c": range(60, 900, 20), "s": range(2, 9), "t": range(3, 40)},
        {"dish": "dish", "part": "part", "friends": "friends"},
        (
            "{who} [cooks|prepares|is famous for] {dish}.",
            "[Grandmother's card|The recipe|An old cookery book] [for|of] {dish} is [torn|stained] but readable.",
            "[Tonight|On Sunday|At noon] there will be {dish}[ for the {friends}|].",
        ),
        (
            "[For {s} people|To serve {s}|For {s} portions] [it takes|one needs|the recipe wants] {c} g of {part}.",
            "[{who} expects|There will be|The table is set for] {t} people.",
        ),
        "How many grams of {part} [are needed|should {who} weigh out|go into it]?",
        (
            Step("x", "c / s", "[One portion takes|Per person:|For one:] {calc} g."),
            Step("y", "x * t", "[For {t} people:|{who} needs|All portions:] {calc} g."),
        ),
        ordered=True,
    ),
    Problem(
        "harvest",
        "easy",
        {"r": range(4, 25), "k": range(5, 30), "dead": range(2, 30)},
        {"x": "crops", "field": "field"},
        (
            "{who} [grows|has planted|looks after] {x}[ beside the {field}|].",
            "[After a cold spring|It was a dry year, and|Since the hail] {who} [walks|inspects] the rows.",
            "The {field} has become a bed of {x}.",
        ),
        (
            "[There are|They stand in|One can see] {r} rows [with|of] {k} {x}[ each|].",
            "{dead} [of the plants|of them|plants] [died|withered|were eaten by snails|froze].",
        ),
        "How many {x} [are alive|survived|are still there]?",
        (
            Step("x2", "r * k", "[Planted in all:|At first there were|All rows together:] {calc}."),
            Step("y", "x2 - dead", "[Alive:|Without the dead ones:|What is left is] {calc} {x}."),
        ),
        ordered=True,
    ),
    Problem(
        "rope",
        "easy",
        {"l": range(8, 60), "m": range(2, 20), "cm": (20, 25, 40, 50, 60, 75, 80)},
        {"a": "wares", "place": "place", "room": "room"},
        (
            "{who} [cuts|measures|bought] a rope [for|at] a {place}.",
            "[A play|A circus|A boat race] at the {place} needs [ropes|cords].",
            "In the {room}, {who} [unrolls|finds] a [cord|cable|rope].",
        ),
        (
            "[It is {l} m long|Its length is {l} metres|There are {l} metres of it].",
            "{m} [m|metres] [are set aside|go to a neighbour|turn out to be rotten].",
            "[From the rest|With what is left], {who} [cuts|makes] pieces of {cm} cm.",
        ),
        "How many [whole pieces|pieces] [does {who} get|are there|can be cut]?",
        (
            Step("x", "l - m", "[Left:|The usable part is|That leaves] {calc} m."),
            Step("y", "x * 100", "[In centimetres:|That is|Converted:] {calc} cm."),
            Step("z", "y / cm", "[Pieces:|Cut up:|{who} gets] {calc}."),
        ),
        ordered=True,
    ),
)
