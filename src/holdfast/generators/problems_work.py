"""Word problems about speed, output and time."""

from holdfast.generators.problem import Problem, Step

RATES = (
    Problem(
        "drive",
        "easy",
        {"v": range(30, 120, 5), "h": range(2, 7), "w": range(20, 100, 5), "g": range(2, 6)},
        {"vehicle": "vehicle", "trip": "trip"},
        (
            "{who} [travels|sets out|is on the way] to [see|reach] the {trip}.",
            "[At dawn|Before sunrise|After lunch], {who} [leaves|starts] for the {trip}.",
            "A {vehicle} [takes|brings|carries] {who} to the {trip}.",
        ),
        (
            (
                "[For the first|During the first|The first] {h} hours the {vehicle} [moves at|keeps up|does] {v} "
                "[km/h|kilometres an hour|kilometres per hour]."
            ),
            (
                "[Then|After a break|Because of fog|In the hills] [it slows to|the speed becomes|it goes on at] {w} "
                "[km/h|kilometres per hour] for {g} [more|further] hours."
            ),
        ),
        "[How far is the journey|How many kilometres is that|What distance is that][ in all| altogether|]?",
        (
            Step("x", "v * h", "[The first part is|At first:|In the first {h} hours:] {calc} [km|kilometres]."),
            Step("y", "w * g", "[The second part is|After that:|The rest of the way is] {calc} [km|kilometres]."),
            Step("z", "x + y", "[The whole way is|Added up:|In total {who} covers] {calc} [km|kilometres]."),
        ),
        ordered=True,
    ),
    Problem(
        "machine",
        "easy",
        {"r": range(4, 60), "m": range(5, 50, 5), "bad": range(3, 40)},
        {"machine": "machine", "place": "place"},
        (
            "{who} [watches over|repairs|bought|operates] a {machine}.",
            "In the basement of a {place}, {who} [tests|starts up] a {machine}.",
            "[The new|An old|A borrowed|A noisy] {machine} is [running|ready|switched on].",
        ),
        (
            "[It makes {r} pieces a minute|Every minute it turns out {r} pieces|Its output is {r} pieces per minute].",
            "[It runs|{who} lets it run|It is left on] for {m} minutes.",
            "{bad} [of the|] pieces [are faulty|fail the test|must be thrown away|turn out to be scrap].",
        ),
        "How many [good pieces|pieces without fault|usable pieces|pieces] [are there|remain|does {who} keep]?",
        (
            Step("x", "r * m", "[Made in all:|In {m} minutes:|The machine turns out] {calc} pieces."),
            Step("y", "x - bad", "[Without the bad ones:|Of these are good:|{who} keeps] {calc}."),
        ),
    ),
    Problem(
        "tank",
        "hard",
        {"r": range(5, 40), "leak": range(2, 12), "t": range(6, 60), "has": range(10, 90, 5)},
        {"tank": "tank", "place": "place"},
        (
            "{who} [fills|has to fill|is asked to top up] a {tank}.",
            "[Behind|Beside|Near] the {place} [stands|lies|there is] a {tank}.",
            "The {tank} [was cleaned|has a crack|is being tested].",
        ),
        (
            "[It holds|There is room for|Its volume is] {full} litres.",
            "[A hose|A pump|The tap] [adds|brings|delivers] {r} litres [a|per] minute.",
            "[Through a leak|Through the drain|By a worn seal] {leak} litres [a|per] minute [are lost|run out|escape].",
            "[At the start|To begin with|When {who} arrives] {has} litres are [in it|already there].",
        ),
        "[After how many minutes|How many minutes until] [is it full|it is full|the {tank} is full]?",
        (
            Step("x", "full - has", "[Still missing:|Room left:|What has to flow in is] {calc} litres."),
            Step("y", "r - leak", "[Net inflow:|Each minute the level gains|What stays in is] {calc} litres."),
            Step("z", "x / y", "[Time needed:|It is full after|That takes] {calc} minutes."),
        ),
        given={"net": "r - leak", "gap": "net * t", "full": "gap + has"},
    ),
    Problem(
        "reading",
        "hard",
        {"a": range(3, 12), "p": range(8, 40), "q": range(10, 60), "d": range(3, 16)},
        {"book": "book", "trip": "trip"},
        (
            "{who} [is reading|was given|must return|has borrowed] a {book}.",
            "On the way to the {trip}, {who} [opens|begins] a {book}.",
            "[Winter evenings are long|The train ride is dull], so {who} [reads a {book}|takes up a {book}].",
        ),
        (
            "[It has|The book counts|Its length is] {pages} pages.",
            "[For|During|On] the first {a} days {who} [reads|manages|gets through] {p} pages [a day|daily|per day].",
            "[From then on|Afterwards|Then] it is {q} pages [a day|daily|each day].",
        ),
        "[How many days does {who} need for the whole book|After how many days in all is the last page read"
        "|How many days pass before it is finished]?",
        (
            Step("x", "a * p", "[Read at first:|In the first {a} days:|The slow part covers] {calc} pages."),
            Step("y", "pages - x", "[That leaves|Pages to go:|Still unread:] {calc}."),
            Step("z", "y / q", "[They take|For those {who} needs|The rest lasts] {calc} days."),
            Step("w", "a + z", "[In all:|Together with the start:|The whole book takes] {calc} days."),
        ),
        ordered=True,
        given={"slow": "a * p", "fast": "q * d", "pages": "slow + fast"},
    ),
    Problem(
        "team",
        "easy",
        {"w": range(3, 12), "k": range(4, 25), "h": range(2, 9)},
        {"friends": "friends", "crops": "crops", "place": "place"},
        (
            "{who} [leads|pays|organises] a [small|] team.",
            "The {place} [needs more green|has bought land].",
            "{whose} {friends} [lend a hand|are good gardeners|have come to help].",
        ),
        (
            "[There are|They are|The team has] {w} people.",
            "[Each of them|Every person|One worker] [plants|sets|puts in] {k} {crops} [an|every] hour.",
            "They [work|keep going|dig] for {h} hours.",
        ),
        "How many {crops} [are planted|do they plant|are in the ground at the end][ in all|]?",
        (
            Step("x", "w * k", "[In one hour:|Each hour they plant|All together, per hour:] {calc}."),
            Step("y", "x * h", "[In {h} hours:|Over the whole time:|So the total is] {calc} {crops}."),
        ),
    ),
)

SCHEDULES = (
    Problem(
        "practice",
        "easy",
        {"m": range(10, 60, 5), "d": range(3, 7), "s": range(20, 120, 5)},
        {"practice": "practice", "trip": "trip"},
        (
            "{who} [practises|is learning|cannot get enough of] {practice}.",
            "[Before the exam|For a bet|To impress the jury], {who} trains {practice}.",
            "The [teacher|coach] [has set|wrote down] a plan for {practice}.",
        ),
        (
            "[It is|The plan says|{who} does] {m} minutes on [each of|] {d} weekdays.",
            "[On Saturday|At the weekend|On Sunday] {who} [adds|does|manages] {s} minutes.",
        ),
        "How many minutes [is that|are spent on {practice}|does {who} train] [in a week|a week|every week|weekly]?",
        (
            Step("x", "m * d", "[On weekdays:|During the week:|The short sessions make] {calc} minutes."),
            Step("y", "x + s", "[With the weekend:|In the whole week:|The week's total is] {calc} minutes."),
        ),
    ),
    Problem(
        "commute",
        "hard",
        {"m": range(10, 65, 5), "d": range(3, 7), "w": range(4, 49, 2)},
        {"vehicle": "vehicle", "place": "place"},
        (
            "{who} [works|has a job|is employed] at a {place}[ on the other bank| out of town|].",
            "{whose} way to the {place} is [long|pretty|well known to everybody].",
            "[Every working day|Rain or shine], {who} [boards|takes] the {vehicle}.",
        ),
        (
            "[One way takes|The ride lasts|It is a journey of] {m} minutes[ each way|, there and back alike|].",
            "{who} [makes|does] the trip there and back on {d} days [a|per] week.",
            "[The contract|The season ticket|The project|The course] [lasts|runs for|covers] {w} weeks.",
        ),
        "How many hours does {who} [travel|spend on the way|sit in the {vehicle}] [in that time|altogether|in all]?",
        (
            Step("x", "m * 2", "[A day there and back:|Both ways:|Each day costs] {calc} minutes."),
            Step("y", "x * d", "[In a week:|Per week that is|Times {d} days:] {calc} minutes."),
            Step("z", "y * w", "[In {w} weeks:|For the whole time:|All weeks together:] {calc} minutes."),
            Step("u", "z / 60", "[In hours:|That is|As hours:] {calc}[ hours|].", False),
        ),
    ),
    Problem(
        "visits",
        "hard",
        {"n": range(4, 16), "m": range(10, 50, 5), "b": range(2, 11)},
        {"visit": "visit", "place": "place"},
        (
            "{who} [sees|receives|takes care of] {visit} [one after another|without lunch|].",
            "[In the annex of a {place}|In a small office], {who} [has a full diary|keeps to the clock].",
            "[It is a long day|The waiting room is full]: {visit} [all over|everywhere].",
        ),
        (
            "[Today there are|The diary lists|Booked are] {n} {visit}.",
            "[Each one takes|Every appointment lasts|One appointment means] {m} minutes.",
            "Between [two of them|appointments|one and the next] [there is|{who} keeps] a pause of {b} minutes.",
        ),
        "How many minutes [pass from the first to the last|does it all take|go by until the last one leaves]?",
        (
            Step("x", "n * m", "[The appointments alone take|Time with {visit}:|All the {visit} need] {calc} minutes."),
            Step("p", "n - 1", "[The number of pauses is|Pauses are only between:|There is one pause less:] {calc}."),
            Step("y", "p * b", "[The pauses take|All pauses:|They add up to] {calc} minutes."),
            Step("z", "x + y", "[From start to end:|Altogether:|So the day lasts] {calc} minutes."),
        ),
        ordered=True,
    ),
    Problem(
        "ages",
        "easy",
        {"a": range(3, 20), "k": range(2, 6), "y": range(2, 16)},
        {"friends": "friends", "place": "place"},
        (
            "[At a birthday party|On the beach|Over tea], {who} [talks about|compares] ages with a friend, Robin.",
            "{who} and Robin [met at a {place}|are related|share a flat].",
            "[They were born in the same house|Both were born in June]: {who} and Robin.",
        ),
        (
            "{who} is {a} [years old|now|this year].",
            "[Robin is {k} times as old|Robin's age is {k} times {whose} age].",
        ),
        "How old will [Robin|the friend] be [in {y} years|{y} years from now|when {y} years have passed]?",
        (
            Step("x", "a * k", "[Robin is now|Robin's age today:|Today Robin is] {calc}."),
            Step("z", "x + y", "[In {y} years:|Then Robin will be|Add the years:] {calc}."),
        ),
        ordered=True,
    ),
    Problem(
        "shifts",
        "easy",
        {"n": range(4, 20), "h": range(3, 10), "k": range(2, 11)},
        {"place": "place", "people": "people", "job": "job"},
        (
            "{who} [draws up|checks|rewrites] the rota of a {place}.",
            "[A {place} never closes|The {place} is short of staff|Holidays begin at the {place}].",
            "{who} used to earn a living by {job}[ and now plans shifts|].",
        ),
        (
            "[There are|The month has|The plan shows] {n} shifts of {h} hours[ each|].",
            "[They are|The hours are|It all is] [split|shared out|divided] [equally|evenly|fairly] among {k} {people}.",
        ),
        "How many hours [does each|must every one] of them [work|do|take on]?",
        (
            Step("x", "n * h", "[All shifts together:|Hours to fill:|The plan needs] {calc} hours."),
            Step("y", "x / k", "[For each one:|Divided among them:|Everybody works] {calc} hours."),
        ),
        ordered=True,
    ),
)
