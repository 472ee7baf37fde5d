import ArgumentParser
import Espalier
import EspalierHost

/// What a run reports and shows.
struct TrainLoggingOptions: ParsableArguments {
  @Option(name: .customLong("logging_dir"), help: "Logs, inside the output folder.")
  var loggingDir = "logs"

  @Option(
    name: .customLong("report_to"),
    help: "Logger plugins, separated by commas, 'all' or 'none' (default: tensorboard, else csv).")
  var reportTo: String?

  @Option(
    name: .customLong("logger_option"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      """
      Set an option of a logger (repeatable), as in csv.KEY=VALUE; the name may be left out if there is one logger. \
      'espalier plugins NAME' lists them. (This program's own.)
      """, valueName: "name.key=value"))
  var loggerOptions: [String] = []

  @Option(name: .customLong("tracker_project_name"), help: "The project's name in the loggers.")
  var trackerProjectName = "sd_xl_train_t2iadapter"

  @Option(
    name: .customLong("validation_prompt"), parsing: .upToNextOption,
    help: "Prompts to generate during training.")
  var validationPrompt: [String] = []

  @Option(
    name: .customLong("validation_image"), parsing: .upToNextOption,
    help: "Control images for the validation prompts.")
  var validationImage: [String] = []

  @Option(
    name: .customLong("num_validation_images"), help: "Pictures for each prompt and image.")
  var numValidationImages = 4

  @Option(name: .customLong("validation_steps"), help: "Generate every so many steps.")
  var validationSteps = 100

  @Option(
    help: ArgumentHelp(
      """
      Write the time of every operation of some steps to this file, for chrome://tracing or Perfetto. (This program's \
      own.)
      """, valueName: "file"))
  var profile: String?

  @Option(
    name: .customLong("profile_steps"),
    help: "Optimizer steps in the profile, from the second on. (This program's own.)")
  var profileSteps = 3

  mutating func validate() throws {
    guard (1...100).contains(profileSteps) else {
      throw ValidationError("--profile_steps is \(profileSteps), expected 1 to 100")
    }
    _ = try loggerAssignments
  }

  func apply(to configuration: inout TrainingConfiguration) {
    configuration.loggingDir = loggingDir
    configuration.trackerProjectName = trackerProjectName
    configuration.validationPrompts = validationPrompt
    configuration.validationImages = validationImage
    configuration.numValidationImages = numValidationImages
    configuration.validationSteps = validationSteps
    configuration.profileSteps = profile == nil ? 0 : profileSteps
  }

  var loggerAssignments: [OptionAssignment] {
    get throws { try OptionAssignment.all(loggerOptions, flag: "--logger_option") }
  }

  /// The reference refuses W&B together with a hub token, which would be logged; here also for 'all'.
  func checkSecrets(hubToken: String?) throws {
    let names = requested ?? []
    if hubToken != nil && (names.contains("wandb") || names == ["all"]) {
      throw ValidationError(
        "--hub_token and --report_to wandb do not go together: the token could be logged; "
          + "log in with the hub's own tool instead")
    }
  }

  /// The names of the loggers to open.
  ///
  /// - Throws: `PluginError` if a logger that was asked for is not there.
  func loggers(in registry: PluginRegistry) throws -> [String] {
    let available = registry.names(of: .logger)
    switch requested {
    case ["all"]: return registry.usableLoggers()
    case ["none"]: return []
    case .some(let names):
      // An unknown name is refused before anything is computed.
      for name in names where !available.contains(name) {
        _ = try registry.logger(named: name, run: "{}")
      }
      return names
    case nil:
      if available.contains("tensorboard") { return ["tensorboard"] }
      let chosen = available.contains("csv") ? ["csv"] : []
      StandardError.write(
        "note: there is no tensorboard logger; reporting to \(chosen.first ?? "nothing")")
      return chosen
    }
  }

  /// The names as they were given, each once; 'all' among them means all.
  private var requested: [String]? {
    guard let reportTo else { return nil }
    var names: [String] = []
    for part in reportTo.split(separator: ",") {
      let name = String(part.filter { $0 != " " })
      if !names.contains(name) { names.append(name) }
    }
    return names.contains("all") ? ["all"] : names
  }
}
