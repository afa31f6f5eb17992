/** A drawing in a link: two letters for a coordinate, strokes with _ between them. */
import type { Point, Strokes } from "../../model/image.ts";

/** Places from half a pad before the pad until half a pad behind it: a line may leave the pad. */
const [FROM, TO, PLACES] = [-0.5, 1.5, 36 ** 2 - 1];
/** A link may come from anyone. */
const MOST_LETTERS = 8000;

const placeOf = (value: number): number =>
  Math.round(((Math.min(TO, Math.max(FROM, value)) - FROM) / (TO - FROM)) * PLACES);
const coordinateOf = (place: number): number => FROM + (place / PLACES) * (TO - FROM);

/** The nearest coordinate that a link holds. */
export const nearest = (value: number): number => coordinateOf(placeOf(value));

export const formatStrokes = (strokes: Strokes): string =>
  strokes
    .map((points) =>
      points
        .flat()
        .map((value) => placeOf(value).toString(36).padStart(2, "0"))
        .join(""),
    )
    .join("_");

/** The strokes of a text; none where it is no drawing. */
export function parseStrokes(text: string): Point[][] {
  if (text.length > MOST_LETTERS || !/^([0-9a-z]{4})+(_([0-9a-z]{4})+)*$/.test(text)) return [];
  return text
    .split("_")
    .map((stroke) =>
      Array.from(
        stroke.matchAll(/(..)(..)/g),
        ([, x, y]): Point => [
          coordinateOf(Number.parseInt(x as string, 36)),
          coordinateOf(Number.parseInt(y as string, 36)),
        ],
      ),
    );
}
