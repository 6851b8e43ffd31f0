"""Sixty examples with which nothing is wrong: what the marked lines of a scene stand among."""

from __future__ import annotations

from tests.validation.corpus.scene import Marked, good, qa

_TEXT = """\
What is the capital of Australia?|Canberra. It was chosen as a compromise between Sydney and Melbourne.
Why is the sky blue?|Air scatters blue light more than red, so blue reaches us from every direction.
How long do I boil an egg?|Six minutes for a soft yolk, ten for a hard one.
Can I bring my dog to the office?|Yes, on Fridays, if your neighbours at the desk agree.
My order has not arrived yet.|I am sorry to hear that. Please send me the order number, and I will trace it.
Translate to French: good morning|Bonjour !
Wie spät ist es in Tokio, wenn es in Berlin Mittag ist?|Im Winter 20 Uhr, im Sommer 19 Uhr.
¿Cuál es el río más largo de España?|El Tajo es el río más largo de la península ibérica.
日本で一番高い山は何ですか。|富士山です。高さは3776メートルあります。
Summarise: the meeting was moved from Tuesday to Thursday because two people are ill.|Two people are ill, so the meeting is on Thursday.
Write a haiku about rain.|Soft drops on the roof,\\nthe garden drinks in silence,\\na snail lifts its head.
Which planet has the most moons?|Saturn, with well over a hundred that are confirmed.
How do I undo the last commit but keep the changes?|Run `git reset --soft HEAD~1`. The changes stay staged.
Give me three names for a bakery.|- Crumb & Co\\n- The Early Oven\\n- Flour Street
Is a tomato a fruit?|Botanically yes, it is a berry. In the kitchen it counts as a vegetable.
What does HTTP 404 mean?|The server was reached, but there is nothing at that address.
I forgot my password.|Choose "Forgot password" on the sign-in page. You will get a link by e-mail.
Convert 5 miles to kilometres.|5 miles are about 8.05 kilometres.
Who wrote Faust?|Johann Wolfgang von Goethe.
How many legs does a spider have?|Eight.
When was the Eiffel Tower built?|Between 1887 and 1889, for the World's Fair in Paris.
Recommend a book on gardening.|Try a guide for your own region first: soil and frost decide more than taste does.
Explain recursion to a child.|You open a box, and inside is a smaller box, and so on, until one holds the sweets.
What's the difference between weather and climate?|Weather is what happens today; climate is what usually happens over decades.
The screen of my phone is cracked, is that covered?|Accidental damage is covered if you added the protection plan. Do you have it?
Reword politely: you are late again.|I noticed that you arrived a little later than planned today.
Which is heavier, a kilo of feathers or a kilo of lead?|Neither, both weigh one kilo.
How do bees find their way home?|They remember landmarks and use the sun as a compass.
Cancel my subscription, please.|Done. You can use the service until the end of the month.
What is photosynthesis?|Plants use light to turn water and carbon dioxide into sugar and oxygen.
Name the primary colours.|Red, yellow and blue in painting; red, green and blue for light.
Do you deliver to Norway?|Yes. It takes five to seven working days, and customs may charge a fee.
How can I sleep better?|Keep regular hours, leave the phone outside, and let the room be cool and dark.
What is the square root of 144?|12
Is it safe to eat raw mushrooms?|Cultivated ones in small amounts are fine; wild ones should always be cooked.
Why do cats purr?|Mostly when they are content, but also to calm themselves when they are hurt.
What does RSVP stand for?|It is French: répondez s'il vous plaît, please answer.
Find the verb: the old clock ticks loudly.|ticks
My invoice shows the wrong address.|Thank you for telling us. I have corrected it, and a new invoice is on its way.
How does a vaccine work?|It shows the immune system a harmless part of a germ, so that it is ready for the real one.
What should I pack for a hike?|Water, a map, a rain jacket, something to eat, and plasters for your feet.
Who was the first person on the moon?|Neil Armstrong, in July 1969.
Can you explain inflation?|Prices rise over time, so the same money buys less than before.
What is a group of crows called?|A murder of crows.
Correct the sentence: he go to school.|He goes to school.
How do I get coffee stains out of a shirt?|Rinse it cold at once, then use a little vinegar and wash it as usual.
Was ist der Unterschied zwischen Nebel und Wolken?|Nebel berührt den Boden, Wolken nicht.
Quelle est la capitale du Canada ?|Ottawa.
What time does the library close?|At eight in the evening on weekdays, and at four on Saturdays.
Tell me about the Great Wall.|It was built over many centuries, and it is not one wall but many.
How tall is a giraffe?|A grown giraffe is between four and six metres tall.
Which languages are spoken in Switzerland?|German, French, Italian and Romansh.
Why is the sea salty?|Rivers carry dissolved minerals into it, and only the water evaporates.
Should I water cacti every day?|No. Once every two or three weeks is enough, less in winter.
What is the plural of mouse?|Mice.
The app crashes when I open the settings.|Please update to the latest version. If it still happens, tell me which device you use.
How many continents are there?|Seven, if Europe and Asia are counted apart.
What makes bread rise?|Yeast eats sugar and gives off gas, which is caught in the dough.
Is the museum open on Monday?|No, it is closed on Mondays, except on public holidays.
What is the boiling point of water on Everest?|About 71 degrees Celsius, because the air pressure is so low.
"""


def _examples() -> tuple[Marked, ...]:
    pairs = (line.replace("\\n", "\n").split("|") for line in _TEXT.splitlines())
    return tuple(good(qa(question, answer)) for question, answer in pairs)


ORDINARY = _examples()
