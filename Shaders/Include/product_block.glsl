// The result of a product and how the work is cut: `product`, the first member of the push constant
// blocks of the family. Needs types.glsl.
struct Product {
  Acts y;  // [rows, columns], or [splits, rows, columns] of partial sums in f32
  Words bias;
  Acts channel;
  Acts residual;
  uint rows;
  uint columns;
  uint rowsPerSample;
  uint steps;
  uint stepsPerSplit;
};
