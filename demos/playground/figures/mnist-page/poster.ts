import type { Poster } from "../figure.ts";
import { trainHere } from "./course.ts";
import { courseHeight, paintCourse } from "./paint.ts";

/** The build trains too: the same seed gives the same bits in the page of a reader. */
const { course, ten } = await trainHere();

export const poster: Poster = {
  heightFor: courseHeight,
  paint: (pen, width, _height, palette) => paintCourse(pen, course, ten, width, palette),
};
