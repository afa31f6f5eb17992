/**
 * The voices that speak, and which of them a network hears in training.
 *
 * Voices of eSpeak NG that sound like people: variants without a whisper, the sound of a robot or a long echo, whose first two formants lie within 70
 * and 150 % of the default voice's. A row is a family: voices whose first three formants differ by 2 % at most from those of another one, or that bear
 * one person's name, as Gene and Gene2. Families are never divided. They were dealt out in alphabetical order: of eight, two to the test and one to the
 * choice of settings. The voice mike2, which the test would have had, is left out: Mike is in the training.
 */

/** Voices that every training hears. */
export const TRAINING_VOICES = [
  ["adam", "benjamin", "ed", "grandpa", "john", "klatt", "klatt4", "m6", "m7", "max"],
  ["Alex"],
  ["Alicia"],
  ["Andy", "AnxiousAndy"],
  ["antonio"],
  ["belinda", "linda"],
  ["boris"],
  ["david"],
  ["Diogo", "anika", "Henrique", "Hugo", "michel", "miguel"],
  ["f1", "steph", "steph2", "steph3"],
  ["f3"],
  ["Gene", "Gene2"],
  ["grandma"],
  ["ian"],
  ["Jacky"],
  ["m1", "m3", "m8", "Mike", "Nguyen", "pablo", "pedro", "quincy", "rob", "robert", "Storm"],
  ["m2"],
  ["m4"],
  ["Marco"],
  ["Michael"],
  ["Mr serious"],
  ["norbert"],
  ["paul"],
  ["sandro"],
  ["victor"],
].flat();

/** Voices on which settings are chosen; a training that is measured on the voices of the test hears them. */
export const VALIDATION_VOICES = [
  ["Annie"],
  ["edward", "edward2"],
  ["iven", "iven2", "iven3", "iven4"],
  ["Mario"],
  ["shelby"],
].flat();

/** Voices that no training hears. */
export const TEST_VOICES = [
  ["Andrea"],
  ["aunty", "f4"],
  ["Denis"],
  ["f2", "f5"],
  ["gustave", "marcelo"],
  ["Lee"],
  ["m5"],
  ["Reed"],
  ["zac"],
].flat();

/** Accents of English, by their names in eSpeak NG; each voice has all of them. */
export const ACCENTS = [
  "gmw/en",
  "gmw/en-US",
  "gmw/en-GB-scotland",
  "gmw/en-GB-x-rp",
  "gmw/en-GB-x-gbclan",
  "gmw/en-GB-x-gbcwmd",
  "gmw/en-US-nyc",
] as const;
