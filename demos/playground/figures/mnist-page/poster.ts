import { digitsFile } from "../../digits.ts";
import type { Poster } from "../figure.ts";
import { Course, tenOf } from "./model.ts";
import { courseHeight, paintCourse } from "./paint.ts";

/** Nothing is trained: the curves are the reader's to draw. */
const course = new Course();
const ten = tenOf(Uint8Array.from(digitsFile()).buffer);

export const poster: Poster = {
  heightFor: courseHeight,
  paint: (pen, width, _height, palette) => paintCourse(pen, course, ten, width, palette),
};
