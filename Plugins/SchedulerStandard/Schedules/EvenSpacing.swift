/// `torch.linspace` in float32: from the start in the first half, from the end in the second.
func evenlySpaced(_ start: Float, _ end: Float, _ count: Int) -> [Float] {
  guard count > 1 else { return count == 1 ? [start] : [] }
  let step = (end - start) / Float(count - 1)
  return (0..<count).map { index in
    // PyTorch's kernel multiplies and adds in one rounding.
    index < count / 2
      ? start.addingProduct(step, Float(index)) : end.addingProduct(-step, Float(count - 1 - index))
  }
}

/// `numpy.linspace` in double.
func evenlySpaced(_ start: Double, _ end: Double, _ count: Int) -> [Double] {
  guard count > 1 else { return count == 1 ? [start] : [] }
  let step = (end - start) / Double(count - 1)
  var values = (0..<count).map { Double($0) * step + start }
  values[count - 1] = end
  return values
}
