public import EspalierGraph
public import EspalierTensors

/// A step of a network of feature maps that is computed a band of rows at a time.
///
/// The maps between the steps are held whole; within a step only a band of each is in memory. Group norms see the whole
/// map: the step that makes a map also takes the statistics of its bands, and the steps that read it apply them. Results
/// are those of the undivided network but for rounding, and a band has no seam.
public struct BandStage: Sendable {
  /// A map that the step reads.
  public struct Input: Sendable {
    /// Its number; 0 is the network's input.
    public let map: Int
    /// The rows of it that rows of the result need, inside the map.
    public let rows: @Sendable (_ result: Range<Int>) -> Range<Int>

    public init(_ map: Int, rows: @escaping @Sendable (_ result: Range<Int>) -> Range<Int>) {
      self.map = map
      self.rows = rows
    }
  }

  /// A map that the step makes.
  public struct Output: Sendable {
    public let map: Int
    /// `[1, H, W, C]`; all results of a step have the same rows.
    public let shape: Shape
    /// False for a map that only its statistics are wanted of, since later steps compute its bands again.
    public var isStored = true
    /// The input, by its place in the step's list, whose memory it takes over: one of its shape that the step reads at
    /// just the rows that it writes, and that no later step reads.
    public var replaces: Int?
    /// True if a group norm reads it.
    public var isNormalised = false

    public init(_ map: Int, _ shape: Shape) {
      self.map = map
      self.shape = shape
    }
  }

  /// What is there to compute a band from.
  public struct Band {
    /// Of the results.
    public let rows: Range<Int>
    /// The rows of the inputs that their `rows` asked for, `[1, rows, W, C]`.
    public let inputs: [Value]
    /// The statistics that `normalises` asks for.
    public let statistics: NormStatistics?

    public init(rows: Range<Int>, inputs: [Value], statistics: NormStatistics?) {
      self.rows = rows
      self.inputs = inputs
      self.statistics = statistics
    }
  }

  /// Which rows cuts between bands may be at.
  public enum Cuts: Sendable {
    case anywhere, evenRows, oddRows

    /// The nearest row at or after `row`, counted from 0, that a band may end before.
    public func next(_ row: Int) -> Int {
      switch self {
      case .anywhere: row
      case .evenRows: row + row % 2
      case .oddRows: row + 1 - row % 2
      }
    }
  }

  /// The layer, for messages and profiles.
  public let path: String
  public let inputs: [Input]
  public let outputs: [Output]
  /// The map whose group norm the step applies, with the statistics of the whole map.
  public var normalises: Int?
  public var cuts = Cuts.anywhere
  /// False for a step that needs all of its inputs at once.
  public var isDivisible = true
  /// Declares the layers in a graph of their own and emits a band of each result, with the rows that it covers: those
  /// asked for, and where a map is only stored perhaps some on either side, which are not used.
  public let emit: @Sendable (GraphBuilder, Band) -> [(value: Value, rows: Range<Int>)]
  /// Emits the statistics of a band of each normalised result, in order.
  public let measure: @Sendable (GraphBuilder, Value) -> NormStatistics

  public init(
    path: String, inputs: [Input], outputs: [Output],
    measure: @escaping @Sendable (GraphBuilder, Value) -> NormStatistics,
    emit: @escaping @Sendable (GraphBuilder, Band) -> [(value: Value, rows: Range<Int>)]
  ) {
    self.path = path
    self.inputs = inputs
    self.outputs = outputs
    self.measure = measure
    self.emit = emit
  }

  /// Rows of all results.
  public var height: Int { outputs.first.map { $0.shape[1] } ?? 0 }
}

/// A network of maps that can be computed in bands.
public protocol BandedAutoencoder: Autoencoder {
  /// Groups and ε of the norms, by which statistics of bands become those of a map.
  var normGroups: Int { get }
  var normEpsilon: Double { get }

  /// The steps from pixels `[1, H, W, 3]` to moments; the last one's first result is the network's.
  ///
  /// - Parameter wholeByteLimit: Maps of at most this size are computed whole.
  func encodingStages(height: Int, width: Int, wholeByteLimit: Int) -> [BandStage]

  /// The steps from latents `[1, h, w, C]` to pixels; see `encodingStages`.
  func decodingStages(height: Int, width: Int, wholeByteLimit: Int) -> [BandStage]
}
