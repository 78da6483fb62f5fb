import JSON

extension EIDORequest {
  /// Reads one message: an object with one member, whose name says what it is.
  package init(parsing text: String) throws(EIDORequestError) {
    guard text.utf8.count <= Self.maximumBytes else {
      throw Self.unanswerable(.payloadTooLarge, "A message has at most \(Self.maximumBytes) bytes. Send a shorter one.")
    }
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: text)
    } catch {
      throw Self.unanswerable(.badRequest, "This is no JSON: \(error). Send one JSON object a message.")
    }
    guard let members = value.object, members.count == 1, let (name, body) = members.first, body.object != nil else {
      throw Self.unanswerable(
        .badRequest, "A message is an object with one member, such as \"subscribe\", which is an object too.")
    }
    switch name {
    case "subscribe": self = try Self.subscribe(Body(.subscribe, body))
    case "unsubscribe": self = try Self.unsubscribe(Body(.unsubscribe, body))
    case "eventResponse": self = .eventResponse(try Self.response(body, "transactionId"))
    case "terminateResponse": self = .terminateResponse(try Self.response(body, "requestId"))
    default:
      let known = "subscribe, unsubscribe, eventResponse, terminateResponse"
      throw Self.unanswerable(.badRequest, "\"\(ForeignText.cut(name, 32))\" is not known here. Known: \(known).")
    }
  }

  private static func unanswerable(_ status: EIDOStatus, _ text: String) -> EIDORequestError {
    EIDORequestError(status: status, text: text, kind: nil, requestID: nil)
  }

  // MARK: - Subscriptions

  private static func subscribe(_ body: Body) throws(EIDORequestError) -> EIDORequest {
    let expires = try body.seconds("expires")
    if let subscriptionID = try body.identifier("subscriptionId") {
      for name in ["requestType", "requestSubType", "incidentId", "qualFilter", "minRate", "maxRate"] {
        guard body.isMissing(name) else {
          throw body.refusal("A renewal keeps what was agreed: leave \(name) out, or subscribe anew.")
        }
      }
      return .renew(Renew(requestID: body.requestID, subscriptionID: subscriptionID, expires: expires))
    }
    guard try body.identifier("requestType") == "EIDO" else {
      throw body.refusal("requestType has to be \"EIDO\", or a subscriptionId has to be given.")
    }
    try checkAccepts(body)
    guard body.isMissing("qualFilter"), body.isMissing("qualFilterEvalPeriod") else {
      throw body.refusal("Filters are not supported here. Leave qualFilter and qualFilterEvalPeriod out.")
    }
    return .subscribe(
      Subscribe(
        requestID: body.requestID, scope: try scope(body), expires: expires,
        minimumRate: try body.seconds("minRate"), maximumRate: try body.seconds("maxRate")))
  }

  private static func scope(_ body: Body) throws(EIDORequestError) -> Scope {
    let incidentID = try body.identifier("incidentId")
    switch (try body.identifier("requestSubType"), incidentID) {
    case ("single", let incidentID?): return .single(incidentID)
    case ("single", nil):
      throw body.refusal("incidentId says which incident is meant; give it, or subscribe to \"new\".")
    case ("new", nil): return .new
    case ("new", _): throw body.refusal("incidentId goes with requestSubType \"single\" only.")
    default: throw body.refusal("requestSubType has to be \"single\" or \"new\".")
    }
  }

  /// The version of EIDO that is sent; its major number has to be among those that the subscriber takes.
  private static func checkAccepts(_ body: Body) throws(EIDORequestError) {
    let wanted = "\(EIDO.mediaType); version=\"1\""
    guard let accepts = try body.identifier("requestAccepts") else {
      throw body.refusal("requestAccepts is missing. Send \(wanted).")
    }
    let parts = accepts.lowercased().split(separator: ";", maxSplits: 1).map { ForeignText.trim($0) }
    let versions = parts.count == 2 && parts[1].hasPrefix("version=") ? digitGroups(parts[1]) : []
    guard parts.first == EIDO.mediaType, versions.contains("1") else {
      throw body.refusal("What is sent here is \(wanted). Name it in requestAccepts.", .notAcceptable)
    }
  }

  private static func digitGroups(_ text: String) -> [String] {
    text.split { !$0.isASCII || !$0.isNumber }.map(String.init)
  }

  private static func unsubscribe(_ body: Body) throws(EIDORequestError) -> EIDORequest {
    guard let subscriptionID = try body.identifier("subscriptionId") else {
      throw body.refusal("subscriptionId is missing: which subscription shall end?")
    }
    return .unsubscribe(Unsubscribe(requestID: body.requestID, subscriptionID: subscriptionID))
  }

  // MARK: - Answers

  private static func response(_ body: JSONValue, _ name: String) throws(EIDORequestError) -> Response {
    guard let id = body[name]?.string, (1...maximumIDBytes).contains(id.utf8.count),
      let status = body["statusCode"]?.integer, (100...999).contains(status)
    else {
      throw unanswerable(
        .badRequest, "A response has \(name), which is a text, and statusCode, which has three digits.")
    }
    return Response(id: id, status: status, text: ForeignText.cut(body["statusText"]?.string ?? "", 256))
  }
}

/// The members of a request, read with errors that can be answered.
private struct Body {
  let requestID: String
  private let kind: EIDORequestError.Kind
  private let value: JSONValue

  init(_ kind: EIDORequestError.Kind, _ value: JSONValue) throws(EIDORequestError) {
    guard let id = value["requestId"]?.string, (1...EIDORequest.maximumIDBytes).contains(id.utf8.count) else {
      throw EIDORequestError(
        status: .badRequest, text: "requestId is missing, or no text of 1 to \(EIDORequest.maximumIDBytes) bytes.",
        kind: nil, requestID: nil)
    }
    requestID = id
    self.kind = kind
    self.value = value
  }

  func refusal(_ text: String, _ status: EIDOStatus = .badRequest) -> EIDORequestError {
    EIDORequestError(status: status, text: text, kind: kind, requestID: requestID)
  }

  /// A member that is null counts as missing.
  func isMissing(_ name: String) -> Bool { value[name]?.isNull ?? true }

  func identifier(_ name: String) throws(EIDORequestError) -> String? {
    guard !isMissing(name), let member = value[name] else { return nil }
    guard let text = member.string, (1...EIDORequest.maximumIDBytes).contains(text.utf8.count) else {
      throw refusal("\(name) has to be a text of 1 to \(EIDORequest.maximumIDBytes) bytes.")
    }
    return text
  }

  func seconds(_ name: String) throws(EIDORequestError) -> Int? {
    guard !isMissing(name), let member = value[name] else { return nil }
    guard let seconds = member.integer, (1...31_536_000).contains(seconds) else {
      throw refusal("\(name) has to be a whole number of seconds, from 1 to 31536000.")
    }
    return seconds
  }
}
