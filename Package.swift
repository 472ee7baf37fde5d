// swift-tools-version: 6.2
import PackageDescription

/// Settings that every Swift target shares; CI builds with warnings as errors.
let house: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A Swift module of the host under `Sources/`.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: house)
}

/// A Swift program under `Sources/`.
func program(
  _ name: String, folder: String, exclude: [String] = [], _ dependencies: [Target.Dependency]
) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Sources/\(folder)", exclude: exclude,
    swiftSettings: house)
}

/// A Swift plugin under `Plugins/`: sees the C boundary and the plugin kit, nothing of the host.
func plugin(
  _ name: String, exclude: [String] = [], _ dependencies: [Target.Dependency] = [],
  linkerSettings: [LinkerSetting] = []
) -> Target {
  .target(
    name: name, dependencies: ["EspalierABI", "EspalierPluginKit"] + dependencies,
    path: "Plugins/\(name)", exclude: ["README.md"] + exclude, swiftSettings: house,
    linkerSettings: linkerSettings)
}

/// The tests of the module `name`, in `Tests/<name>Tests`.
func tests(
  _ name: String, exclude: [String] = [], _ dependencies: [Target.Dependency] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies,
    exclude: exclude, swiftSettings: house)
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "espalier",
  products: [
    .executable(name: "espalier", targets: ["espalier"]),
    .executable(name: "espalier-demo", targets: ["espalier-demo"]),
    .library(name: "Espalier", targets: ["Espalier"]),
    // With the header, so that plugins of other packages see both.
    .library(name: "EspalierPluginKit", targets: ["EspalierPluginKit", "EspalierABI"]),
    // The file names are what the host searches for: libespalier-KIND-NAME.so.
    .library(name: "espalier-backend-blas", type: .dynamic, targets: ["BackendBLAS"]),
    .library(name: "espalier-backend-vulkan", type: .dynamic, targets: ["BackendVulkan"]),
    .library(name: "espalier-scheduler-standard", type: .dynamic, targets: ["SchedulerStandard"]),
    .library(name: "espalier-logger-csv", type: .dynamic, targets: ["LoggerCSV"]),
    .library(name: "espalier-logger-html", type: .dynamic, targets: ["LoggerHTML"]),
    .library(name: "espalier-logger-jsonl", type: .dynamic, targets: ["LoggerJSONL"]),
    .library(name: "espalier-logger-tensorboard", type: .dynamic, targets: ["LoggerTensorBoard"]),
    .library(name: "espalier-logger-wandb", type: .dynamic, targets: ["LoggerWandb"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
  ],
  targets: [
    // 0: the C boundary, host memory, random numbers.
    .target(name: "EspalierABI"),
    .target(name: "CEspalierRuntime"),
    module("EspalierTensors", ["CEspalierRuntime"]),
    // JSON as Python writes it, and names that are alike.
    module("EspalierText", []),
    // What a Swift plugin is compiled with; its C part calls the plugin's registration.
    .target(name: "CEspalierPluginKit"),
    module("EspalierPluginKit", ["EspalierABI", "CEspalierPluginKit"]),
    // 1: the graph.
    module("EspalierGraph", ["EspalierTensors"]),
    // 2: protocols, plugin loader and registry, executables.
    module(
      "EspalierHost",
      [
        "EspalierABI", "EspalierTensors", "EspalierText", "EspalierGraph", "CEspalierRuntime",
        logging,
      ]),
    module("EspalierConformance", ["EspalierABI"]),
    // 3: files.
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .target(
      name: "CEspalierImageCodecs",
      linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
    module("EspalierCheckpoints", ["EspalierTensors", "EspalierText", "CXXHash"]),
    // The files are embedded by presets.c.
    .target(name: "CEspalierPresets", exclude: ["sdxl-base-1.0"]),
    module("EspalierPresets", ["EspalierCheckpoints", "CEspalierPresets"]),
    module("EspalierImages", ["EspalierTensors", "CEspalierImageCodecs"]),
    module("EspalierTokenizers", ["EspalierTensors"]),
    // 4: networks and data.
    module(
      "EspalierModels", ["EspalierTensors", "EspalierGraph", "EspalierCheckpoints"]),
    module(
      "EspalierDatasets",
      [
        "EspalierTensors", "EspalierCheckpoints", "EspalierImages",
        .product(name: "SwiftCSV", package: "SwiftCSV"),
      ]),
    // 5: loops over time.
    module(
      "EspalierPipelines",
      [
        "EspalierTensors", "EspalierGraph", "EspalierHost", "EspalierCheckpoints",
        "EspalierPresets",
        "EspalierImages", "EspalierTokenizers", "EspalierModels",
      ]),
    module(
      "EspalierTraining",
      [
        "EspalierTensors", "EspalierGraph", "EspalierHost", "EspalierCheckpoints", "EspalierImages",
        "EspalierTokenizers", "EspalierModels", "EspalierDatasets", "EspalierPipelines",
        "CEspalierRuntime", logging,
      ]),
    module(
      "Espalier",
      [
        "EspalierTensors", "EspalierGraph", "EspalierHost", "EspalierCheckpoints",
        "EspalierPresets",
        "EspalierImages", "EspalierTokenizers", "EspalierModels", "EspalierDatasets",
        "EspalierPipelines",
        "EspalierTraining",
      ]),
    // 6: programs.
    module("EspalierBenchKit", []),
    .target(
      name: "EspalierBench",
      dependencies: [
        "EspalierTensors", "EspalierGraph", "EspalierHost", "EspalierCheckpoints",
        "EspalierPresets", "EspalierModels", "EspalierPipelines", "EspalierTraining",
        "EspalierBenchKit", argumentParser,
      ],
      exclude: ["PyTorch"], swiftSettings: house),
    module("EspalierDemoKit", ["EspalierTensors", "EspalierCheckpoints", "EspalierImages"]),
    // Embeds Docs/Templates and the boundary header.
    .target(name: "CEspalierTemplates"),
    program(
      "espalier", folder: "EspalierCLI",
      [
        "Espalier", "EspalierABI", "EspalierBench", "CEspalierTemplates", "EspalierConformance",
        "EspalierHost", "EspalierTensors", argumentParser, logging,
      ]),
    program(
      "espalier-demo", folder: "EspalierDemo", exclude: ["BaseModel"],
      [
        "Espalier", "EspalierTensors", "EspalierHost", "EspalierCheckpoints", "EspalierImages",
        "EspalierModels", "EspalierPipelines", "EspalierDemoKit", argumentParser,
      ]),
    // Plugins.
    .systemLibrary(
      name: "COpenBLAS", path: "Plugins/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "CBLASKernels", dependencies: ["EspalierABI", "COpenBLAS"],
      path: "Plugins/CBLASKernels",
      cSettings: [
        .unsafeFlags(["-fvisibility=hidden"]),
        .unsafeFlags(["-O3"], .when(configuration: .debug)),
      ]),
    plugin("BackendBLAS", ["CBLASKernels"]),
    .target(
      name: "CVulkanDriver", path: "Plugins/CVulkanDriver",
      linkerSettings: [.linkedLibrary("vulkan")]),
    .systemLibrary(
      name: "CGlslang", path: "Plugins/CGlslang",
      providers: [.apt(["glslang-dev", "spirv-tools"])]),
    .target(name: "CVulkanShaders", path: "Plugins/CVulkanShaders"),
    // GLSL to SPIR-V, for the plugin and for the check ahead of time.
    .target(
      name: "VulkanShaders",
      dependencies: ["CVulkanShaders", "CGlslang", "EspalierABI", "EspalierPluginKit"],
      path: "Plugins/VulkanShaders", swiftSettings: house),
    .executableTarget(
      name: "vulkan-shader-check", dependencies: ["VulkanShaders"],
      path: "Plugins/VulkanShaderCheck", swiftSettings: house),
    plugin(
      "BackendVulkan", ["CVulkanDriver", "VulkanShaders"],
      // glslang's static archives would otherwise export some 5,900 symbols.
      linkerSettings: [.unsafeFlags(["-Xlinker", "--exclude-libs=ALL"])]),
    .executableTarget(
      name: "vulkan-bench",
      dependencies: [
        "CVulkanDriver", "VulkanShaders", "EspalierABI", "EspalierPluginKit", "EspalierConformance",
        "EspalierHost", "EspalierTensors", "EspalierBenchKit", argumentParser,
        logging,
      ],
      path: "Plugins/VulkanBench", swiftSettings: house),
    plugin("SchedulerStandard"),
    // PNG files for loggers.
    .target(
      name: "CPluginPNG", path: "Plugins/CPluginPNG", linkerSettings: [.linkedLibrary("png")]),
    .target(
      name: "PluginPNG", dependencies: ["CPluginPNG", "EspalierABI", "EspalierPluginKit"],
      path: "Plugins/PluginPNG", swiftSettings: house),
    // Files of loggers: appended, cut back, replaced; a run's history as rows.
    .target(
      name: "LogFiles", dependencies: ["EspalierABI", "EspalierPluginKit"],
      path: "Plugins/LogFiles", swiftSettings: house),
    plugin("LoggerCSV", ["LogFiles"]),
    .target(
      name: "CPluginJPEG", path: "Plugins/CPluginJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CReportPage", path: "Plugins/CReportPage"),
    plugin("LoggerHTML", exclude: ["Page"], ["LogFiles", "CPluginJPEG", "CReportPage"]),
    plugin("LoggerJSONL", ["LogFiles", "PluginPNG"]),
    plugin("LoggerTensorBoard", ["LogFiles", "PluginPNG"]),
    .target(
      name: "CWandbClient", path: "Plugins/CWandbClient",
      linkerSettings: [.linkedLibrary("curl"), .linkedLibrary("z")]),
    // All of the logger but its entry, so that tests can link it.
    .target(
      name: "WandbClient",
      dependencies: ["CWandbClient", "LogFiles", "PluginPNG", "EspalierABI", "EspalierPluginKit"],
      path: "Plugins/WandbClient", swiftSettings: house),
    plugin("LoggerWandb", ["WandbClient"]),
    // Tests.
    .target(
      name: "TestSupport", dependencies: ["EspalierTensors", "EspalierCheckpoints"],
      path: "Tests/TestSupport", swiftSettings: house),
    tests("EspalierTensors", ["EspalierCheckpoints"]),
    tests("EspalierPluginKit", ["EspalierABI", "EspalierConformance"]),
    tests("EspalierGraph", ["EspalierTensors"]),
    tests(
      "EspalierHost",
      exclude: ["Plugins"],
      [
        "EspalierABI", "EspalierTensors", "EspalierText", "EspalierGraph", "CEspalierRuntime",
        logging,
      ]),
    tests("EspalierCheckpoints", ["EspalierTensors"]),
    tests("EspalierImages", ["EspalierTensors"]),
    tests("EspalierTokenizers", ["EspalierTensors"]),
    tests(
      "EspalierModels",
      [
        "EspalierTensors", "EspalierGraph", "EspalierHost", "EspalierCheckpoints",
        "EspalierPresets",
      ]
    ),
    tests("EspalierDatasets", ["EspalierTensors", "EspalierCheckpoints", "EspalierImages"]),
    tests("EspalierBenchKit"),
    tests("EspalierBench", ["EspalierTensors", "EspalierCheckpoints"]),
    tests(
      "EspalierDemoKit",
      ["EspalierTensors", "EspalierCheckpoints", "EspalierImages", "EspalierDatasets"]),
    tests(
      "EspalierPipelines",
      [
        "EspalierTensors", "EspalierGraph", "EspalierHost", "EspalierCheckpoints",
        "EspalierPresets", "EspalierImages", "EspalierModels", "EspalierTokenizers",
      ]),
    tests(
      "EspalierTraining",
      [
        "EspalierTensors", "EspalierGraph", "EspalierHost", "EspalierCheckpoints", "EspalierModels",
        "EspalierPipelines", "EspalierDatasets", "EspalierImages",
      ]),
    .testTarget(
      name: "CommandLineTests",
      dependencies: ["TestSupport", "EspalierTensors", "EspalierCheckpoints", "EspalierImages"],
      exclude: ["Plugins"], swiftSettings: house),
    .testTarget(
      name: "PluginTests",
      dependencies: [
        "PluginPNG", "TestSupport", "EspalierABI", "EspalierTensors", "EspalierCheckpoints",
        "EspalierImages",
      ],
      swiftSettings: house),
    tests("WandbClient", ["EspalierPluginKit", "LogFiles"]),
    .testTarget(
      name: "BackendConformanceTests",
      dependencies: ["EspalierABI", "EspalierConformance"], swiftSettings: house),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
