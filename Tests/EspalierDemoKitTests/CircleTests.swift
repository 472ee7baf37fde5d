import EspalierDemoKit
import EspalierImages
import Testing

@Suite("Circle") struct CircleTests {
  private let circle: Circle

  init() throws {
    let red = try #require(CSSColor.all.first { $0.name == "red" })
    let navy = try #require(CSSColor.all.first { $0.name == "navy" })
    circle = Circle(centerX: 0.5, centerY: 0.5, radius: 0.25, color: red, background: navy)
  }

  @Test func `knows the base model's 140 colours`() throws {
    #expect(CSSColor.all.count == 140 && Set(CSSColor.all.map(\.name)).count == 140)
    let alice = try #require(CSSColor.all.first)
    #expect(alice.name == "alice blue" && alice.rgb == SIMD3(0xF0, 0xF8, 0xFF))
    #expect(CSSColor.all.last?.name == "yellow green")
    #expect(
      circle.color.distance(to: circle.background) == Float(255 * 255 + 128 * 128).squareRoot())
  }

  @Test(arguments: [64, 128, 200])
  func `the disc has its colour, its ground and its area`(resolution: Int) {
    let image = circle.targetImage(resolution: resolution)
    let bytes = image.bytes
    let middle = (resolution / 2 * resolution + resolution / 2) * 3
    #expect(Array(bytes[middle..<middle + 3]) == [255, 0, 0])
    #expect(Array(bytes[..<3]) == [0, 0, 128])
    // Smooth edges make the sum of red the area.
    let red = stride(from: 0, to: bytes.count, by: 3).reduce(0.0) { $0 + Double(bytes[$1]) / 255 }
    let area = Double.pi * Double(resolution * resolution) / 16
    #expect(abs(red / area - 1) < 0.002)
    #expect(abs(Double(circle.mask(resolution: resolution).count) / area - 1) < 0.01)
  }

  @Test(arguments: [64, 128, 256])
  func `the outline is white on black and as wide as its resolution asks`(resolution: Int) {
    let bytes = circle.sourceImage(resolution: resolution).bytes
    let row = resolution / 2
    // A cut through the middle crosses the line twice.
    let cut = (0..<resolution).map { Double(bytes[(row * resolution + $0) * 3]) / 255 }
    let width = cut.reduce(0, +) / 2
    #expect(abs(width - 2 * Double(resolution) / 128) < 0.1)
    #expect(cut[0] == 0 && cut[row] == 0)
  }

  @Test func `prompts have fill50k's words`() {
    #expect(circle.prompt == "red circle with navy background")
  }
}

@Suite("CircleGenerator") struct CircleGeneratorTests {
  @Test(arguments: [CircleGenerator.Split.training, .heldOut])
  func `circles lie in the base model's ranges`(split: CircleGenerator.Split) {
    let circles = (0..<500).map { CircleGenerator(seed: 5, split: split).circle($0) }
    for circle in circles {
      #expect(0.1...0.36 ~= circle.radius)
      #expect(0.15...0.85 ~= circle.centerX && 0.15...0.85 ~= circle.centerY)
      let distance = circle.color.distance(to: circle.background)
      #expect(split == .heldOut ? distance >= 140 : distance > 0)
    }
    #expect(Set(circles.map(\.prompt)).count > 400)
    #expect(Set(circles.map(\.color)).count > 100)
    let mean = circles.map(\.centerX).reduce(0, +) / 500
    #expect(abs(mean - 0.5) < 0.05)
  }

  @Test func `a circle depends on seed, split and index alone`() {
    let one = CircleGenerator(seed: 1, split: .training)
    #expect(one.circle(7) == CircleGenerator(seed: 1, split: .training).circle(7))
    #expect(one.circle(7) != one.circle(8))
    #expect(one.circle(7) != CircleGenerator(seed: 2, split: .training).circle(7))
    #expect(one.circle(7).centerX != CircleGenerator(seed: 1, split: .heldOut).circle(7).centerX)
  }
}
