import ArgumentParser
import Espalier

/// `espalier plan`: what a run would take, without running it.
struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what a run would take: memory, operations and time of each phase, and disk.",
    discussion: """
      Takes the flags of the command that it plans. Nothing is loaded or written; for about a second the device is \
      measured. A run that does not fit ends with 1 and says what would make it fit.
      """,
    subcommands: [PlanTrain.self, PlanGenerate.self])
}

/// How a plan is shown.
struct PlanOutputOptions: ParsableArguments {
  @Flag(help: "Print the plan as JSON.")
  var json = false

  /// Prints a plan, then refuses it if it does not fit.
  func show(_ plan: RunPlan, on device: ComputeDevice, remedy: () -> String?) throws {
    let report = PlanReport(plan, on: device, measures: .always)
    print(json ? try report.json() : report.table)
    try plan.check(on: device, remedy: remedy)
  }
}

/// `espalier plan train`.
struct PlanTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Plan a training run; the flags are those of 'espalier train'.")

  @OptionGroup var train: Train
  @OptionGroup(title: "Plan") var output: PlanOutputOptions

  func run() throws {
    let registry = try train.plugins.registry()
    defer { registry.shutdown() }
    let trainer = try train.trainer(registry)
    try output.show(trainer.plan(), on: trainer.device, remedy: trainer.remedy)
  }
}

/// `espalier plan generate`.
struct PlanGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Plan a generation; the flags are those of 'espalier generate'.")

  @OptionGroup var generate: Generate
  @OptionGroup(title: "Plan") var output: PlanOutputOptions

  func run() throws {
    let registry = try generate.plugins.registry()
    defer { registry.shutdown() }
    let run = GenerateRun(
      command: generate, seed: generate.picture.seed ?? 0, registry: registry)
    let (pipeline, settings, device) = try run.open()
    try output.show(pipeline.plan(settings), on: device) { run.remedy(pipeline, settings) }
  }
}
