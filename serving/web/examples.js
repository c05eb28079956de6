/** Texts to click, by task. `?example=…&example=…` in the page's address gives others. */

const LONG =
  "It begins with a letter that nobody opens, and for an hour that is enough. Then the uncle " +
  "arrives, the lights go out twice, and every scene explains the one before it. ";

const EXAMPLES = {
  classify: [
    "A delight from start to finish.",
    "Two hours of my life that I will never get back.",
    "Neither as clever as it thinks nor as dull as it looks.",
    "Très naïve, wildly funny 😀🎉 and <b>far too short</b>.",
    LONG.repeat(6),
  ],
  tag: [
    "Ada Holm was in Lima with two people from Nordwind.",
    "🎬 Agnès Varda left Paris 👩‍👩‍👧‍👦 for Los Angeles in 1967.",
    "Japan beat Syria 2-1 on Friday, said Reuters.",
    "Nobody is named here.",
    "The train from Oslo to Bergen was late again, wrote Ingrid Dahl. ".repeat(20),
  ],
  other: ["A delight from start to finish.", "Ada Holm was in Lima.", "😀"],
};

/** Examples for a task; the address's own come first if there are any. */
export function examplesFor(task, query) {
  const given = query.getAll("example");
  return given.length ? given : EXAMPLES[task];
}
