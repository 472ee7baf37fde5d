// e^x with a relative error of 1.5e-7 on every driver: Vulkan allows the built-in exp 3 + 2|x| units in the
// last place, and some drivers' loses a NaN. Below −87.3 it gives 0, above 88.3 it stays at e^88.3.
//
// 2^n by the exponent's bits, the rest by a polynomial of degree 6 (a minimax fit).
float exponential(float x) {
  float y = x > 88.3 ? 88.3 : x;
  y = y < -87.3 ? -87.3 : y;
  float n = floor(y * 1.44269504 + 0.5);
  precise float r = y - n * 0.693359375;
  r = r - n * -2.12194440e-4;
  float p = 1.38436523e-3;
  p = p * r + 8.37415539e-3;
  p = p * r + 4.16680021e-2;
  p = p * r + 1.66664313e-1;
  p = p * r + 4.99999942e-1;
  p = p * r + 1.00000003;
  p = p * r + 1.0;
  float power = intBitsToFloat((int(n) + 127) << 23);
  return x < -87.3 ? 0.0 : p * power;
}
