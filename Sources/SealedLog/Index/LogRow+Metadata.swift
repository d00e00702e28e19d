internal import Foundation

extension LogRow {
  /// Reads what the index needs from META's JSON: `request_id`, `project`, `key`, `user`, `alias`, `provider`, `model`
  /// (strings), `tokens` (`{"input":…,"output":…}`), `cost` (integer), `status` (integer), `findings` (class → count).
  ///
  /// What is missing or of another type stays empty: the index never loses a record because of its metadata.
  public init(_ record: MetadataRecord) {
    guard let json = MetadataScanner(record.json) else {
      self.init(decoding: record)
      return
    }
    self.init(
      location: LogLocation(recordID: record.recordID, stream: record.stream, segment: record.segment),
      time: record.time, requestID: json.text("request_id") ?? "", project: json.text("project"),
      key: json.text("key"), user: json.text("user"), alias: json.text("alias"), provider: json.text("provider"),
      model: json.text("model"), tokensIn: json.integer("tokens", "input") ?? 0,
      tokensOut: json.integer("tokens", "output") ?? 0, cost: json.integer("cost") ?? 0,
      status: json.integer("status").flatMap(Int.init(exactly:)), findings: json.sum("findings"),
      metadata: record.json)
  }

  /// The same by a whole JSON reader, for META that is not plain.
  init(decoding record: MetadataRecord) {
    let json = (try? JSONSerialization.jsonObject(with: Data(record.json))) as? [String: Any] ?? [:]
    let tokens = json["tokens"] as? [String: Any] ?? [:]
    let findings = json["findings"] as? [String: Any] ?? [:]
    let status = json["status"].flatMap(Self.integer)
    self.init(
      location: LogLocation(recordID: record.recordID, stream: record.stream, segment: record.segment),
      time: record.time, requestID: json["request_id"] as? String ?? "", project: json["project"] as? String,
      key: json["key"] as? String, user: json["user"] as? String, alias: json["alias"] as? String,
      provider: json["provider"] as? String, model: json["model"] as? String,
      tokensIn: tokens["input"].flatMap(Self.integer) ?? 0, tokensOut: tokens["output"].flatMap(Self.integer) ?? 0,
      cost: json["cost"].flatMap(Self.integer) ?? 0, status: status.flatMap(Int.init(exactly:)),
      findings: findings.values.reduce(0) { $0 &+ (Self.integer($1) ?? 0) }, metadata: record.json)
  }

  private static func integer(_ value: Any) -> Int64? { (value as? NSNumber)?.int64Value }
}
