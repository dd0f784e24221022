"""Word problems about buying, selling and shares of a hundred."""

from holdfast.generators.problem import Problem, Step

SHOPPING = (
    Problem(
        "basket",
        "easy",
        {"n": range(3, 16), "p": range(2, 13), "m": range(2, 12), "q": range(3, 18)},
        {"a": "goods", "b": "wares", "shop": "shop"},
        (
            "{who} [goes|walks|cycles|drives] to the {shop} [early on Saturday|after work|with a long list|].",
            "It is [market day|the last day of the sale|nearly closing time|a rainy morning] at the {shop}.",
            "The {shop} has [opened a new counter|put up new price tags|had a delivery].",
            "",
            "",
        ),
        (
            (
                "{who} [buys|picks out|takes|asks for|chooses] {n} {a} "
                "[at ${p} each|for ${p} apiece|that cost ${p} each|, each priced at ${p}]."
            ),
            (
                "[There are also {b} at|{b}, sold for] ${q} [each, and|apiece:] {who} "
                "[wants|adds|needs|pays for] {m} [of them|of those|]."
            ),
        ),
        "[How much does {who} pay [in total|altogether|at the till|for everything]?|What is the [whole|total|final] "
        "bill[, in dollars|]?|[What sum|How many dollars] does {who} spend there?|Find the whole cost.]",
        (
            Step("x", "n * p", "[The {a} cost|For the {a} {who} pays|{n} {a} come to|First, the {a}:] {paid}."),
            Step("y", "m * q", "[The {b} cost|{m} {b} add|Then {who} pays for the {b}:|Next come the {b}:] {paid}."),
            Step("z", "x + y", "[Together that is|The bill is|In total {who} spends|Adding both gives] {paid}."),
        ),
    ),
    Problem(
        "change",
        "easy",
        {"n": range(3, 13), "p": range(2, 16), "bill": (50, 100, 200)},
        {"a": "goods", "shop": "shop", "f": "friends"},
        (
            "{whose} [{f} are coming over|fridge is nearly empty|{f} asked for a favour|birthday is on Friday].",
            "At the {shop}, [the queue is short|everything is marked down|cards are not accepted].",
            "",
        ),
        (
            (
                "{who} [needs|buys|orders|is sent for] {n} {a}, [which cost|priced at|and the tag says] ${p} "
                "[each|apiece|per piece]."
            ),
            "{who} [pays with|hands over|puts down|has nothing but] a ${bill} [note|bill|voucher that gives change].",
        ),
        "[How much change does {who} get[ back|]?|How much money [is left|comes back]?|What [amount|sum] should "
        "the cashier return?|How many dollars remain after the purchase?]",
        (
            Step("x", "n * p", "[The {a} cost|{n} {a} at that price make|Price of the {a}:|{who} owes] {paid}."),
            Step("y", "bill - x", "[The change is|So {who} gets back|What remains is|The cashier returns] {paid}."),
        ),
        ordered=True,
    ),
    Problem(
        "packs",
        "hard",
        {"k": range(4, 15), "packs": range(3, 12), "p": range(3, 20), "off": range(2, 9)},
        {"a": "wares", "place": "place", "shop": "shop"},
        (
            "The {place} is [preparing a party|being redecorated|planning an open day|running a workshop].",
            "{who} [does the shopping|is the treasurer|keeps the stores] for a {place}.",
            "",
        ),
        (
            (
                "[The {shop} sells {a} only|At the {shop}, {a} come|You can get {a}] in [packs|boxes|bags] of {k}, "
                "[at ${p} a pack|and one costs ${p}|for ${p} each]."
            ),
            "[Exactly|Altogether|] {need} {a} are [needed|wanted|required|on the list].",
            "[A loyalty card|A coupon|Paying in cash|An old gift card] takes ${off} off the [whole|] bill.",
        ),
        "[How much must {who} pay?|What does {who} pay [in the end|after the reduction]?|How many dollars does "
        "the [purchase|order] cost [after that|with the reduction|]?|Work out the final price.]",
        (
            Step("packs2", "need / k", "[Packs needed:|{who} has to take|The number of packs is|That means] {calc}."),
            Step("x", "packs2 * p", "[At the full price they cost|Before the reduction:|The packs come to] {paid}."),
            Step("y", "x - off", "[With the reduction {who} pays|Taking that off leaves|The final price is] {paid}."),
        ),
        given={"need": "k * packs"},
    ),
    Problem(
        "saving",
        "easy",
        {"price": range(120, 600, 10), "has": range(10, 100, 5), "w": range(5, 45)},
        {"wish": "wish", "job": "job"},
        (
            "{who} [dreams of|would love|has set {their} heart on|wants to buy] a {wish}.",
            "There is a {wish} in the window[ that {who} likes|, and {who} stops every day|].",
        ),
        (
            "[It costs|Its price is|The seller asks for] ${price}.",
            "{who} [already has|has put aside|found in a drawer|was given] ${has}[ for it|].",
            "[By|From|Thanks to] {job}, {who} [earns|makes|can save|sets aside] ${w} [a|every|each] week.",
        ),
        "[How many weeks will it take [to have enough|until the {wish} is paid]?|For how many weeks must {who} "
        "[go on|keep saving]?|After how many weeks can {who} buy it?]",
        (
            Step("x", "price - has", "[Still missing:|{who} still needs|What is lacking is|The gap is] {paid}."),
            Step("y", "x / w", "[At that pace it takes|Weeks needed:|The number of weeks is|That means] {calc}."),
        ),
    ),
    Problem(
        "stall",
        "hard",
        {"t": range(3, 13), "k": range(6, 20), "p": range(2, 7), "left": range(2, 16), "cost": range(10, 60)},
        {"a": "treats", "place": "place", "shop": "shop"},
        (
            "To raise money for the {place}, {who} [bakes|runs a stall|gets up at five].",
            "{who} [sells|offers] home-made food at the {shop}[ once a month|].",
            "[Last|This|On a cold] Sunday {who} [rented a table|set up a stand] near the {shop}.",
        ),
        (
            "{who} [brings|arrives with|fills|prepares] {t} trays of {k} {a}[ each|].",
            (
                "[By the evening|When it is over|At noon, when rain sets in], {left} [of them|] "
                "[are unsold|are left over|have found no buyer]."
            ),
            "[Each one sells for|People pay|The price is] ${p}[ apiece|].",
            "[Ingredients and fees|The ingredients|Rent and butter|Gas, paper and sugar] [cost|came to|took] ${cost}.",
        ),
        "[What is {whose} profit?|How much [profit is made|does {who} earn after costs]?|How many dollars are left "
        "after [paying|subtracting] the costs?]",
        (
            Step("x", "t * k", "[{who} made|In all there were|Pieces on the trays:|Brought along:] {calc} {a}."),
            Step("y", "x - left", "[Sold:|The number sold is|Of these, buyers took|{who} sold] {calc}."),
            Step("z", "y * p", "[They bring in|Takings:|That makes|The box then holds] {paid}."),
            Step("w", "z - cost", "[After costs,|The profit is|What stays is|Minus the costs:] {paid}."),
        ),
        ordered=True,
    ),
)

PERCENTAGES = (
    Problem(
        "discount",
        "easy",
        {"price": range(20, 400, 5), "off": (5, 10, 15, 20, 25, 30, 40, 60)},
        {"wish": "wish", "shop": "shop"},
        (
            "{who} has [been waiting for|heard of|come for] the [summer|winter|clearance] sale at the {shop}.",
            "[After a flood|Because it moves|To make room], the {shop} [cuts its prices|sells off stock].",
            "",
        ),
        (
            "[A|The|One last] {wish} [used to cost|is labelled|was listed at] ${price}.",
            (
                "[Now|Today|Until Sunday|With {whose} card] [it is reduced by {off} %|{off} percent is taken off"
                "|there is a discount of {off} percent]."
            ),
        ),
        "[What does {who} pay for it|What is the reduced price|How much is it now|Which price is due][, in dollars|]?",
        (
            Step("x", "price * off / 100", "[The discount is|{off} percent of ${price} is|It saves] {paid}.", False),
            Step("y", "price - x", "[So the price is|That leaves|{who} pays|The new price:] {paid}.", False),
        ),
        ordered=True,
    ),
    Problem(
        "habits",
        "easy",
        {"n": range(40, 600, 20), "p": (5, 10, 15, 20, 25, 30, 35, 40, 45, 55, 60, 65, 70, 75)},
        {"people": "people", "place": "place", "habit": "habit"},
        (
            "{who} [hands out|evaluates|prepares] a questionnaire [at|for] a {place}.",
            "A {place} [wants to know its people better|publishes its yearly report].",
            "[For a talk|For the local paper], {who} [visits|writes about] a {place}.",
        ),
        (
            "[There are|It counts|The register shows|Forms came back from] {n} {people}.",
            "[Of them|Of these|According to the answers], {p} [percent|%] {habit}.",
        ),
        "How many [of the|] {people} [do not|don't] {habit}?",
        (
            Step("x", "n * p / 100", "[Those who {habit}:|{p} percent of {n} is|The share in numbers is] {calc}."),
            Step("y", "n - x", "[The others:|So the rest is|That leaves|Everybody else:] {calc}."),
        ),
        ordered=True,
    ),
    Problem(
        "tip",
        "hard",
        {"bill": range(40, 400, 10), "t": (5, 10, 15, 20, 25), "k": range(2, 9)},
        {"f": "friends", "treats": "treats"},
        (
            "{who} [invites|meets|treats] [some|a few] {f} to dinner.",
            "After the [concert|match|exam|move], {who} and the {f} [are hungry|go out].",
            "The [inn|diner|tea house|canteen by the river] is famous for its {treats}.",
        ),
        (
            "[The bill|Dinner|The meal|What they order] comes to ${bill}.",
            "[They add|A tip of|The waiter gets] {t} percent [as a tip|on top|extra][ is customary|].",
            "[The total is|Everything is|They want it] [split|shared|divided] equally among [all|] {k} people.",
        ),
        "[How much does each one pay|What is one share|What does every person owe][, in dollars|, tip included|]?",
        (
            Step("x", "bill * t / 100", "[The tip is|{t} percent of the bill is|On top come] {paid}.", False),
            Step("y", "bill + x", "[Tip included:|Altogether they pay|The total becomes] {paid}.", False),
            Step("z", "y / k", "[Each one pays|One share is|Divided by {k}:] {paid}.", False),
        ),
    ),
    Problem(
        "growth",
        "hard",
        {"n": range(100, 2000, 100), "up": (5, 10, 15, 20, 25, 30, 50), "gone": range(5, 60)},
        {"people": "people", "place": "place"},
        (
            "[In|At] a {place}, {who} keeps the [books|records|statistics].",
            "{who} [compares|looks up] the figures of a {place}.",
            "A {place} has [seen some change|a new director|been in the news].",
        ),
        (
            "[At the start of the year|Two winters ago|When it opened|Before the reform] it had {n} {people}.",
            "[By summer|A year later|Then|After an advert] [the number rose by {up} percent|there were {up} % more].",
            "[In the following months|Since then|Later], {gone} {people} [left|moved away|gave notice].",
        ),
        "How many {people} [are there now|does it have today|remain|belong to it after all that]?",
        (
            Step("x", "n * up / 100", "[The increase was|{up} percent of {n} is|Newcomers:] {calc}."),
            Step("y", "n + x", "[After the rise:|That made|So there were] {calc} {people}."),
            Step("z", "y - gone", "[After the departures:|Now there are|Today's number is|{gone} less is] {calc}."),
        ),
        ordered=True,
    ),
    Problem(
        "commission",
        "hard",
        {"base": range(200, 900, 50), "n": range(4, 40), "p": range(20, 300, 10), "c": (2, 3, 4, 5, 6, 8, 10, 12)},
        {"a": "goods", "shop": "shop", "machine": "machine"},
        (
            "{who} [works|has found a job|is a trainee] in sales.",
            "{who} travels [from town to town|the coast|by train] as an agent.",
            "The firm of {whose} aunt [makes|trades in] machines.",
        ),
        (
            "The [basic|fixed|monthly] wage is ${base}.",
            "[On top|In addition|Besides], {c} percent of all sales [is commission|goes to {who}].",
            "[This month|In April|During the fair], {who} sold {n} units of a {machine} [at|for] ${p} each.",
        ),
        "[How much does {who} earn in that month|What is the whole pay|What is paid out][, commission included|]?",
        (
            Step("x", "n * p", "[Sales:|The units bring|Sold altogether:|The sales come to] {paid}."),
            Step("y", "x * c / 100", "[The commission is|{c} percent of that is|Of this {who} gets] {paid}.", False),
            Step("z", "base + y", "[With the fixed wage:|Pay in all:|So {who} earns] {paid}.", False),
        ),
    ),
)
