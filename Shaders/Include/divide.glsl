// Quotients by a divisor that is known when commands are recorded: a product instead of a division, which
// is slow on GPUs and, on CPU drivers, done lane by lane.
//
// From PushConstants.divisor: with l = ⌈log2 d⌉, `factor` = ⌊2^(31+l) / d⌋ + 1 and `shift` = l. Exact for n
// below 2^31 (Granlund & Montgomery 1994).
struct Divisor {
  uint factor;
  uint shift;
};

uint divide(uint n, Divisor divisor) {
  uint high;
  uint low;
  umulExtended(2 * n, divisor.factor, high, low);
  return high >> divisor.shift;
}
