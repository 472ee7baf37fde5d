/// A GraphQL operation: its name, its text, and what it does in words.
struct GraphQLDocument {
  let name: String
  let text: String
  /// For messages: `create the run`.
  let purpose: String

  /// Creates a run, goes on with one, or changes its config.
  static let upsertBucket = GraphQLDocument(
    name: "UpsertBucket",
    text: """
      mutation UpsertBucket(
        $id: String, $name: String, $project: String, $entity: String, $groupName: String,
        $displayName: String, $notes: String, $config: JSONString, $program: String,
        $jobType: String, $tags: [String!]
      ) {
        upsertBucket(input: {
          id: $id, name: $name, modelName: $project, entityName: $entity, groupName: $groupName,
          displayName: $displayName, notes: $notes, config: $config, jobProgram: $program,
          jobType: $jobType, tags: $tags
        }) {
          bucket {
            id name displayName
            project { name entity { name } }
            historyLineCount
          }
          inserted
        }
      }
      """,
    purpose: "create the run")

  /// What the server has of a run.
  static let runResumeStatus = GraphQLDocument(
    name: "RunResumeStatus",
    text: """
      query RunResumeStatus($project: String, $entity: String, $name: String!) {
        model(name: $project, entityName: $entity) {
          id name
          entity { id name }
          bucket(name: $name, missingOk: true) {
            id name summaryMetrics displayName logLineCount historyLineCount eventsLineCount
            historyTail eventsTail config tags notes
            wandbConfig(keys: ["t"])
          }
        }
      }
      """,
    purpose: "look for the run")

  /// Addresses to which files can be uploaded.
  static let createRunFiles = GraphQLDocument(
    name: "CreateRunFiles",
    text: """
      mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
        createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
          runID
          uploadHeaders
          files { name uploadUrl }
        }
      }
      """,
    purpose: "get addresses for images")
}
