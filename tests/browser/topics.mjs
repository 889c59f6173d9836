// Sixty rows as a class might type them: three topics, twenty sentences each.
const TOPICS = {
  food: `The soup needs more salt and a little pepper.
We baked bread and ate it warm with butter.
My grandmother cooks rice with beans every Sunday.
The pizza came with too much cheese.
She cut the onions and fried them in oil.
Breakfast was an egg, toast and orange juice.
The cake is in the oven for an hour.
He ordered noodles and a bowl of salad.
Fresh tomatoes make the best sauce.
The restaurant serves fish with lemon.
I drank two cups of tea with honey.
The recipe asks for flour, sugar and milk.
They grilled sausages and corn in the garden.
This chocolate tastes bitter and sweet.
We had pancakes with strawberries for dinner.
The kitchen smells of garlic and roasted meat.
Put the potatoes in boiling water.
The apples are ripe, let us make a pie.
He eats a sandwich with ham at noon.
The cook tasted the stew and added herbs.`,
  sport: `Our team won the match in the last minute.
She ran the marathon in under four hours.
The goalkeeper saved the penalty kick.
He trains at the gym three times a week.
The coach shouted at the players from the bench.
They scored two goals in the second half.
The swimmer broke the record in the final.
We watched the tennis final on television.
The referee showed him a red card.
The cyclists climbed the hill in the race.
She threw the ball to the captain of her team.
The league starts again in August.
He jumped higher than all other athletes.
Basketball practice begins at six.
The champion lost his title in the ring.
Both teams were tired after extra time.
The stadium was full for the cup final.
She won gold in the long jump.
The striker missed an easy shot at goal.
Our hockey club needs a new coach.`,
  weather: `It will rain all afternoon with strong wind.
The storm brought thunder and lightning.
Snow covered the roads this morning.
The sun is shining and the sky is clear.
Fog made it hard to see the hills.
Temperatures will fall below zero tonight.
A warm breeze came from the south.
Dark clouds gathered before the shower.
The forecast promises a dry and sunny weekend.
Hail damaged the roofs during the storm.
The heat wave will last until Friday.
There was frost on the grass at dawn.
The wind blew the leaves across the sky.
Heavy rain flooded the river valley.
It is cloudy and cold for this time of year.
The hurricane is moving towards the coast.
A rainbow appeared after the rain.
The air is humid before a thunderstorm.
Winter was mild with little snow.
The fog lifted and the sun came out.`,
};

export const TYPED = Object.entries(TOPICS).flatMap(([label, lines]) => lines.split("\n").map((text) => ({ text, label })));
