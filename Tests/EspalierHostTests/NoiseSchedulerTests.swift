import EspalierHost
import EspalierTensors
import Testing

@Suite("NoiseScheduler") struct NoiseSchedulerTests {
  private func scheduler(_ name: String, steps: Int = 3) throws -> (Workshop, NoiseScheduler) {
    let workshop = try Workshop()
    try workshop.build("scheduler", "libespalier-scheduler-sample.so")
    let scheduler = try workshop.registry().scheduler(named: name)
    try scheduler.setTimesteps(steps)
    return (workshop, scheduler)
  }

  @Test(arguments: ["half", "HalfScheduler", "sample:half", "sample:HalfScheduler"])
  func `a scheduler is found by its short name, class name and plugin`(name: String) throws {
    let scheduler = try scheduler(name).1
    #expect(scheduler.className == "HalfScheduler")
    #expect(scheduler.shortName == "half")
    #expect(scheduler.pluginName == "sample")
  }

  @Test func `an unknown scheduler is answered with the names that there are`() throws {
    let workshop = try Workshop()
    try workshop.build("scheduler", "libespalier-scheduler-sample.so")
    for name in ["eular", "sample:eular"] {
      #expect(
        throws: PluginError.unknown(
          .scheduler, name: name, available: ["half", "broken"], folders: [workshop.folder + "/."])
      ) {
        try workshop.registry().scheduler(named: name)
      }
    }
    #expect(
      throws: PluginError.unknown(
        .scheduler, name: "other", available: ["sample"], folders: [workshop.folder + "/."])
    ) {
      try workshop.registry().scheduler(named: "other:half")
    }
  }

  /// The configuration with which the plugin made its scheduler.
  private func configuration(
    _ name: String, _ configuration: String, _ options: [String] = [],
    preset: String? = nil
  ) throws -> String {
    let workshop = try Workshop()
    try workshop.build(
      "scheduler", "libespalier-scheduler-sample.so",
      ["-DSPELLS_CONFIG", "-DWITH_PRESET"] + (preset.map { ["-DPRESET=\($0)"] } ?? []))
    let scheduler = try workshop.registry().scheduler(
      named: name, configuration: configuration,
      options: options.map { try OptionAssignment($0, flag: "--scheduler_option") })
    return String(decoding: scheduler.sigmas.map { UInt8($0) }, as: UTF8.self)
  }

  @Test func `a configuration without options goes to the plugin as it is`() throws {
    let text = #"{ "factor" :2e0,"other":[1,NaN] }"#
    #expect(try configuration("half", text) == text)
  }

  @Test func `a short name's preset replaces keys, and a user's options replace both`() throws {
    let text = #"{"other": [1, NaN], "factor": 2}"#
    #expect(
      try configuration("half_fast", text) == #"{"other":[1,NaN],"factor":3,"fast":true}"#)
    #expect(
      try configuration("half_fast", text, ["factor=0.5"])
        == #"{"other":[1,NaN],"factor":0.5,"fast":true}"#)
    #expect(
      try configuration("sample:half", text, ["sample.fast=false"])
        == #"{"other":[1,NaN],"factor":2,"fast":false}"#)
    #expect(try configuration("HalfScheduler", text) == text)
  }

  @Test func `options of a scheduler are checked`() throws {
    #expect(
      throws: OptionError.unknown(
        OptionAssignment(flag: "--scheduler_option", key: "factr", value: "1"),
        owner: "scheduler 'half'", plugin: "half", options: ["factor", "fast"])
    ) { try configuration("half", "{}", ["factr=1"]) }
    #expect(throws: OptionError.self) { try configuration("broken", "{}", ["factor=1"]) }
    let broken = #expect(throws: SchedulerError.self) {
      try configuration("half", "[1]", ["factor=1"])
    }
    #expect("\(try #require(broken))".contains("no JSON object"))
  }

  @Test func `a preset that is no object refuses the plugin, and others are still found`() throws {
    let workshop = try Workshop()
    try workshop.build(
      "scheduler", "libespalier-scheduler-a.so",
      ["-DNAME=\"a\"", "-DWITH_PRESET", "-DPRESET=\"[1]\""])
    try workshop.build("scheduler", "libespalier-scheduler-b.so", ["-DNAME=\"b\""])
    let registry = try workshop.registry()
    let refusal = try #require(registry.inventory().refusal("a"))
    #expect(refusal.contains("preset of its scheduler 'half_fast' is no JSON object"))
    #expect(try registry.scheduler(named: "half").pluginName == "b")
  }

  @Test(arguments: [
    ("-DCALLS=0", "plans 0 model calls for 5 steps, expected 5 to 160"),
    ("-DCALLS=4", "plans 4 model calls for 5 steps"),
    ("-DCALLS=4000000000u", "plans 4000000000 model calls for 5 steps"),
    ("-DTIMESTEP=0.0/0.0", "with timestep 0 = "),
    ("-DTIMESTEP=(call==4?INFINITY:1)", "with timestep 4 = inf, which is not finite"),
  ])
  func `a schedule that cannot be is refused`(flag: String, reason: String) throws {
    let workshop = try Workshop()
    try workshop.build("scheduler", "libespalier-scheduler-sample.so", [flag])
    let scheduler = try workshop.registry().scheduler(named: "half")
    let error = #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(5) }
    let text = "\(try #require(error))"
    #expect(
      text.contains("scheduler 'HalfScheduler'") && text.contains(reason), Comment(rawValue: text))
    #expect(scheduler.callCount == 0 || flag.hasPrefix("-DTIMESTEP"))
  }

  @Test func `of two plugins that offer a class the first one is taken`() throws {
    let workshop = try Workshop()
    try workshop.build(
      "scheduler", "libespalier-scheduler-b.so", ["-DNAME=\"b\"", "-DFACTOR=0.25f"])
    try workshop.build("scheduler", "libespalier-scheduler-a.so", ["-DNAME=\"a\""])
    try workshop.write("no library", "libespalier-scheduler-0.so")
    let registry = try workshop.registry()
    #expect(try registry.scheduler(named: "half").pluginName == "a")
    #expect(try registry.scheduler(named: "b:half").pluginName == "b")
  }

  @Test func `the schedule reads as the plugin gives it`() throws {
    let scheduler = try scheduler("half").1
    #expect(scheduler.callCount == 3)
    #expect(scheduler.timesteps == [30, 20, 10])
    #expect(scheduler.sigmas == [3, 2, 1, 0])
    #expect(scheduler.initNoiseSigma == 14.5)
    #expect(scheduler.needsNoise(call: 1))
    #expect(!scheduler.needsNoise(call: 2))
  }

  @Test func `steps and scaling run on arrays and on tensors`() throws {
    let scheduler = try scheduler("half").1
    let (sample, output, noise) = (
      [2, 4, 6] as [Float], [1, 0, -1] as [Float], [3, 3, 3] as [Float]
    )
    #expect(try scheduler.scaleModelInput(call: 1, sample: sample) == [1, 2, 3])
    let step = try scheduler.step(
      call: 0, modelOutput: output, sample: sample, noise: noise, predictsOriginal: true)
    #expect(step.previousSample == [5, 5, 5])
    #expect(step.predictedOriginalSample == [1, 4, 7])
    let last = try scheduler.step(call: 2, modelOutput: output, sample: sample)
    #expect(last.previousSample == [2, 2, 2])
    #expect(last.predictedOriginalSample == nil)
    let tensor = try scheduler.step(
      call: 0, modelOutput: HostTensor(output, shape: [1, 3]),
      sample: HostTensor(sample, shape: [1, 3]), noise: HostTensor(noise, shape: [1, 3]))
    #expect(tensor.shape == [1, 3])
    #expect(tensor.withFloats { Array($0) } == [5, 5, 5])
  }

  @Test func `noise is added by the timestep of each sample`() throws {
    let scheduler = try scheduler("half").1
    let noisy = try scheduler.addNoise(
      timesteps: [1, 10], original: [1, 2, 3, 4], noise: [1, 1, 2, 2])
    #expect(noisy == [2, 3, 23, 24])
    #expect(!scheduler.offersTrainingTarget)
    #expect(
      throws: SchedulerError.notOffered(
        scheduler: "HalfScheduler", operation: "give the target of training")
    ) {
      try scheduler.trainingTarget(timesteps: [1], original: [1], noise: [1])
    }
  }

  @Test func `a result that is not finite names scheduler and step`() throws {
    let scheduler = try scheduler("broken").1
    let values: [Float] = [1, 2, 3, 4]
    _ = try scheduler.step(call: 0, modelOutput: values, sample: values, noise: values)
    let error = try #require(throws: SchedulerError.self) {
      try scheduler.step(call: 1, modelOutput: values, sample: values, noise: values)
    }
    #expect(
      error
        == .notFinite(
          scheduler: "BrokenScheduler", operation: "take the step of model call 1", index: 2,
          value: "nan"))
    #expect("\(error)".contains("'BrokenScheduler' returned nan at element 2"))
  }

  @Test func `input that is not finite is not blamed on the scheduler`() throws {
    let scheduler = try scheduler("half").1
    let values: [Float] = [1, 2, 3, 4]
    #expect(
      throws: SchedulerError.inputNotFinite(
        scheduler: "HalfScheduler", operation: "take the step of model call 0",
        input: "model output", index: 3)
    ) {
      try scheduler.step(
        call: 0, modelOutput: [0, 0, 0, .infinity], sample: values, noise: values)
    }
  }

  @Test func `missing noise, wrong counts and the plugin's own refusals are errors`() throws {
    let (workshop, scheduler) = try scheduler("half")
    let operation = "take the step of model call 0"
    #expect(
      throws: SchedulerError.missingNoise(scheduler: "HalfScheduler", operation: operation)
    ) {
      try scheduler.step(call: 0, modelOutput: [1], sample: [1])
    }
    #expect(
      throws: SchedulerError.counts(
        scheduler: "HalfScheduler", operation: operation, input: "model output", expected: 2,
        found: 1)
    ) {
      try scheduler.step(call: 0, modelOutput: [1], sample: [1, 2], noise: [1, 2])
    }
    #expect(
      throws: SchedulerError.counts(
        scheduler: "HalfScheduler", operation: "add noise", input: "batch of samples", expected: 4,
        found: 5)
    ) {
      try scheduler.addNoise(
        timesteps: [1, 2], original: [1, 2, 3, 4, 5], noise: [1, 2, 3, 4, 5])
    }
    #expect(
      throws: SchedulerError.failed(
        scheduler: "HalfScheduler", operation: "plan 0 steps",
        CallFailure(
          code: .invalidArgument, message: "num_inference_steps must be 1 or more"))
    ) {
      try scheduler.setTimesteps(0)
    }
    let error = try #require(throws: SchedulerError.self) {
      try workshop.registry().scheduler(
        named: "half", configuration: #"{"beta_schedule": "wrong"}"#)
    }
    #expect("\(error)".contains("beta_schedule is 'wrong'"))
  }
}
