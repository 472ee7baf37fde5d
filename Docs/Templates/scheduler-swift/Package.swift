// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "example",
  products: [
    // The file name is what the host looks for: libespalier-KIND-NAME.so.
    .library(name: "espalier-scheduler-example", type: .dynamic, targets: ["Example"])
  ],
  // Espalier's own folder.
  dependencies: [.package(name: "espalier", path: "../../..")],
  targets: [
    .target(
      name: "Example",
      dependencies: [.product(name: "EspalierPluginKit", package: "espalier")])
  ]
)
