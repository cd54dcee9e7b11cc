// Colours that stay readable: which ink goes on a person's colour.
// @ts-check

/**
 * Near-black or white, whichever contrasts more with `color` (WCAG relative luminance).
 * @param {string} color  "#rrggbb" @returns {"#ffffff"|"#1d1c1a"}
 */
export function readableOn(color) {
  const luminance = relativeLuminance(color);
  return (1.05) / (luminance + 0.05) >= (luminance + 0.05) / 0.061 ? "#ffffff" : "#1d1c1a"; // 0.061 = luminance of #1d1c1a + 0.05
}

/** @param {string} color "#rrggbb" @returns {number} 0-1 */
export function relativeLuminance(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
