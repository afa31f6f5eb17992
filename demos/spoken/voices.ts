/**
 * The voices of training, choice of settings and test.
 *
 * Voices of eSpeak NG that sound like people: the lists have no variant with a whisper, the sound of a robot or a long echo, and the first
 * two formants lie within 70 and 150 % of the default voice's. A row is a family: voices whose first three formants differ by 2 % at most
 * from those of another one, or that bear one person's name, as Gene and Gene2. All voices of a family are in one set. Of eight families in
 * alphabetical order, two are in the test set and one serves the choice of settings. The voice mike2, which would have been in the test
 * set, is left out, since Mike is in the training set.
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
