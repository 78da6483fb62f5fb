import Incidents
import Interchange
import JSON

/// The first byte chooses the form in which the rest arrives.
func fuzzAML(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first else { return }
  let rest = Array(bytes.dropFirst())
  let text = String(decoding: rest, as: UTF8.self)
  switch first % 4 {
  case 0: check(AMLReport(sms: text, sender: text, countryCode: "49"))
  case 1: check(AMLReport(form: rest, countryCode: "49"))
  case 2: if let json = try? JSONValue(parsing: rest) { check(AMLReport(json: json)) }
  default: checkRequest(text)
  }
}

private func check(_ report: AMLReport) {
  require(report.problems.count <= AMLReport.maximumProblems, "more problems than the bound")
  if let number = report.number {
    require(PhoneNumberText.e164(number) == number, "\(number) does not read back")
  }
  guard let payload = report.locationPayload(caller: "c1") else { return }
  do throws(SchemaError) {
    try EventKind.location.traits.payload.validate(payload)
  } catch {
    require(false, "a report makes a location that is refused: \(error)")
  }
}

/// What is refused says why, and its answer is short.
private func checkRequest(_ text: String) {
  do throws(EIDORequestError) {
    _ = try EIDORequest(parsing: text)
  } catch {
    require(!error.text.isEmpty && error.text.utf8.count <= 1_024, "a refusal without words, or with too many")
  }
}
