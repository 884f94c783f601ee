#!/usr/bin/env bash
# The tour: an IAM user, groups, policies, roles, another account, MFA and the audit trail, with the real AWS CLI against
# a fresh iamd. It checks what it shows: a step that comes out otherwise ends the tour with exit code 1.
#
# Usage: docs/tour.sh            runs everything, prints every command and its output
set -euo pipefail
cd "$(dirname "$0")/.."

BIN=${TOUR_BIN:-$PWD/.venv/bin}
WORK=$(mktemp -d)
export PATH="$BIN:$PATH" AWS_PAGER="" AWS_MAX_ATTEMPTS=1 AWS_EC2_METADATA_DISABLED=true
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE
SERVER=""
trap '[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true; rm -rf "$WORK"' EXIT

say() { printf '\n## %s\n\n' "$*"; }
note() { printf '%s\n' "$*"; }
fail() { printf 'the tour ends here: %s\n' "$*" >&2; exit 1; }
shown() { # A command as it would be typed; the last argument may be a comment.
  local word line='$'
  for word in "$@"; do
    case $word in
      '# '*) line+=" $word" ;;
      *[!A-Za-z0-9_./:=,@+-]* | '') line+=" '$word'" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '%s\n' "${line//$WORK/DIR}"
}

# Run a command that must work.
run() { shown "$@"; "$@" || fail "the command above was refused"; }
# Run a command that must be refused, with this error code.
refused() {
  local code=$1 output; shift
  shown "$@"
  if output=$("$@" 2>&1); then fail "the command above was not refused: $output"; fi
  printf '%s\n' "$output" | sed '/^$/d'
  case $output in *"$code"*) ;; *) fail "that is not $code" ;; esac
}
# Keep the credentials that an answer of STS or CreateAccessKey holds as a profile.
profile() {
  local name=$1 answer=$2
  python - "$name" "$answer" >> "$AWS_SHARED_CREDENTIALS_FILE" <<'PY'
import json, sys
name, answer = sys.argv[1], json.loads(sys.argv[2])
held = answer.get("Credentials") or answer.get("AccessKey") or answer
print(f"[{name}]\naws_access_key_id = {held['AccessKeyId']}\naws_secret_access_key = {held['SecretAccessKey']}")
if held.get("SessionToken"):
    print(f"aws_session_token = {held['SessionToken']}")
PY
}
# Show a CloudTrail record, without what its user agent tells of this machine.
record() {
  python -c 'import json,re,sys; print(re.sub(r"(\"userAgent\": \"[^ \"]*)[^\"]*", r"\1 ...", json.dumps(json.load(sys.stdin), indent=4)))'
}
forget() {
  python - "$1" "$AWS_SHARED_CREDENTIALS_FILE" <<'PY'
import configparser, sys
name, path = sys.argv[1:]
profiles = configparser.ConfigParser()
profiles.read(path)
profiles.remove_section(name)
with open(path, "w") as file:
    profiles.write(file)
PY
}
policy() { printf '{"Version":"2012-10-17","Statement":[{"Effect":"%s","Action":%s,"Resource":%s}]}' "$1" "$2" "$3"; }
trust() { printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"%s}]}' "$1" "${2:+,\"Condition\":$2}"; }
advance() {
  python - "$1" <<'PY'
import os, sys, urllib.request
url = os.environ["AWS_ENDPOINT_URL"] + "/_iamd/clock"
urllib.request.urlopen(urllib.request.Request(url, b'{"advance_seconds": %s}' % sys.argv[1].encode(), method="POST"))
PY
}
codes() { # The codes of the last half minute, this one and the next, by one reading of the clock: they follow each other.
  python - "$1" <<'PY'
import sys, time, pyotp
now, device = time.time(), pyotp.TOTP(sys.argv[1])
print(*(device.at(now + seconds) for seconds in (-30, 0, 30)))
PY
}

say "0. A fresh iamd"
shown iamd serve --data "DIR" --port 0 --dev
iamd serve --data "$WORK/data" --port 0 --dev > "$WORK/ready" 2> "$WORK/log" &
SERVER=$!
for _ in $(seq 300); do [ -s "$WORK/ready" ] && break; kill -0 "$SERVER" 2>/dev/null || fail "$(cat "$WORK/log")"; sleep 0.1; done
cat "$WORK/ready"
AWS_ENDPOINT_URL=$(cut -d' ' -f4 "$WORK/ready")
ACCOUNT=123456789012
export AWS_ENDPOINT_URL AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE=$WORK/config AWS_SHARED_CREDENTIALS_FILE=$WORK/credentials IAMD_DATA=$WORK/data
cp "$WORK/data/aws/credentials" "$AWS_SHARED_CREDENTIALS_FILE"
run aws sts get-caller-identity

say "1. James Bond, an IAM user"
run aws iam create-user --user-name james.bond --query User.Arn
run aws iam list-users
shown aws iam create-access-key --user-name james.bond "# into the profile james"
profile james "$(aws iam create-access-key --user-name james.bond)"
run aws sts get-caller-identity --profile james

say "2. Without a policy he may do nothing; a group lets him; a Deny wins"
refused AccessDenied aws s3api create-bucket --bucket orders-inbox --profile james
run aws iam create-group --group-name development --query Group.Arn
run aws iam put-group-policy --group-name development --policy-name buckets --policy-document "$(policy Allow '["s3:*","cloudformation:*"]' '"*"')"
run aws iam add-user-to-group --group-name development --user-name james.bond
run aws s3api create-bucket --bucket orders-inbox --profile james
run aws iam put-user-policy --user-name james.bond --policy-name no-deletes --policy-document "$(policy Deny '"s3:DeleteBucket"' '"*"')"
refused "explicit deny in an identity-based policy" aws s3api delete-bucket --bucket orders-inbox --profile james

say "3. One queue only"
run aws --endpoint-url "$AWS_ENDPOINT_URL" sqs create-queue --queue-name my-queue
run aws --endpoint-url "$AWS_ENDPOINT_URL" sqs create-queue --queue-name other-queue
run aws iam put-user-policy --user-name james.bond --policy-name my-queue --policy-document "$(policy Allow '"sqs:SendMessage"' "\"arn:aws:sqs:us-east-1:$ACCOUNT:my-queue\"")"
run aws --endpoint-url "$AWS_ENDPOINT_URL" sqs send-message --queue-url "$AWS_ENDPOINT_URL/$ACCOUNT/my-queue" --message-body shaken --profile james --query MD5OfMessageBody
refused AccessDenied aws --endpoint-url "$AWS_ENDPOINT_URL" sqs send-message --queue-url "$AWS_ENDPOINT_URL/$ACCOUNT/other-queue" --message-body stirred --profile james

say "4. A role: other permissions, for an hour"
run aws iam create-role --role-name app-orders-role --assume-role-policy-document "$(trust "{\"AWS\":\"arn:aws:iam::$ACCOUNT:user/james.bond\"}")" --query Role.Arn
run aws iam put-role-policy --role-name app-orders-role --policy-name one-queue --policy-document "$(policy Allow '"sqs:SendMessage"' "\"arn:aws:sqs:us-east-1:$ACCOUNT:other-queue\"")"
shown aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/app-orders-role" --role-session-name tour --profile james "# into the profile orders"
ANSWER=$(aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/app-orders-role" --role-session-name tour --profile james)
printf '%s\n' "$ANSWER" | sed -E 's/("(SecretAccessKey|SessionToken)": ")[^"]*/\1.../'
profile orders "$ANSWER"
run aws sts get-caller-identity --profile orders
run aws --endpoint-url "$AWS_ENDPOINT_URL" sqs send-message --queue-url "$AWS_ENDPOINT_URL/$ACCOUNT/other-queue" --message-body order-1 --profile orders --query MD5OfMessageBody
TEMPLATE='{"Resources":{"Inbox":{"Type":"AWS::SQS::Queue"}}}'
refused AccessDenied aws cloudformation create-stack --stack-name tour --template-body "$TEMPLATE" --profile orders
note "Without the session he has his own permissions again (those for the stack's queue too):"
run aws iam put-user-policy --user-name james.bond --policy-name stack-queues --policy-document "$(policy Allow '"sqs:CreateQueue"' '"*"')"
run aws cloudformation create-stack --stack-name tour --template-body "$TEMPLATE" --profile james
note "The session's key without its token is refused, and so is everything after its hour:"
forget tokenless
printf '%s' "$ANSWER" | python -c 'import json,sys; c=json.load(sys.stdin)["Credentials"]; print("[tokenless]\naws_access_key_id = %s\naws_secret_access_key = %s" % (c["AccessKeyId"], c["SecretAccessKey"]))' >> "$AWS_SHARED_CREDENTIALS_FILE"
refused InvalidClientTokenId aws sts get-caller-identity --profile tokenless
note "(the clock moves on by an hour)"; advance 3601
refused ExpiredToken aws sts get-caller-identity --profile orders

say "5. A role for a Lambda function, and PassRole"
run aws iam create-role --role-name orders-function --assume-role-policy-document "$(trust '{"Service":"lambda.amazonaws.com"}')" --query Role.Arn
run aws iam attach-role-policy --role-name orders-function --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
python - "$WORK/function.zip" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("orders.py", "def handler(event, context):\n    return event\n")
PY
run aws iam put-user-policy --user-name james.bond --policy-name functions --policy-document "$(policy Allow '"lambda:*"' '"*"')"
FUNCTION=(aws lambda create-function --function-name orders --runtime python3.13 --handler orders.handler --role "arn:aws:iam::$ACCOUNT:role/orders-function" --zip-file "fileb://$WORK/function.zip" --profile james --query FunctionArn)
refused iam:PassRole "${FUNCTION[@]}"
run aws iam put-user-policy --user-name james.bond --policy-name pass --policy-document "$(policy Allow '"iam:PassRole"' "\"arn:aws:iam::$ACCOUNT:role/orders-function\"")"
run "${FUNCTION[@]}"

say "6. Another account, an external id, and a chain of roles"
shown iamd account add --name partner --id 222222222222 "# into the profile partner"
profile partner "$(iamd account add --name partner --id 222222222222)"
run aws iam create-role --role-name partner-a --assume-role-policy-document "$(trust '{"AWS":"arn:aws:iam::222222222222:root"}' '{"StringEquals":{"sts:ExternalId":"orders-7"}}')" --query Role.Arn
refused AccessDenied aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/partner-a" --role-session-name partner --profile partner
shown aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/partner-a" --role-session-name partner --external-id orders-7 --profile partner "# into the profile a"
profile a "$(aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/partner-a" --role-session-name partner --external-id orders-7 --profile partner)"
for pair in a:b b:c; do
  from=${pair%:*}; to=${pair#*:}
  run aws iam create-role --role-name "partner-$to" --max-session-duration 43200 --assume-role-policy-document "$(trust "{\"AWS\":\"arn:aws:iam::$ACCOUNT:role/partner-$from\"}")" --query Role.Arn
  refused "1 hour session limit" aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/partner-$to" --role-session-name partner --duration-seconds 43200 --profile "$from"
  shown aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/partner-$to" --role-session-name partner --duration-seconds 3600 --profile "$from" "# into the profile $to"
  profile "$to" "$(aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/partner-$to" --role-session-name partner --duration-seconds 3600 --profile "$from")"
done
run aws sts get-caller-identity --profile c

say "7. An administrator's role that wants MFA"
run aws iam put-user-policy --user-name james.bond --policy-name own-device --policy-document "$(policy Allow '["iam:ListRoles","iam:EnableMFADevice","iam:CreateVirtualMFADevice"]' '"*"')"
run aws iam create-role --role-name emergency --assume-role-policy-document "$(trust "{\"AWS\":\"arn:aws:iam::$ACCOUNT:user/james.bond\"}" '{"Bool":{"aws:MultiFactorAuthPresent":"true"}}')" --query Role.Arn
run aws iam attach-role-policy --role-name emergency --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
DEVICE="arn:aws:iam::$ACCOUNT:mfa/watch"
run aws iam create-virtual-mfa-device --virtual-mfa-device-name watch --outfile "$WORK/seed" --bootstrap-method Base32StringSeed --profile james
SEED=$(cat "$WORK/seed")
read -r FIRST SECOND THIRD <<< "$(codes "$SEED")"
run aws iam enable-mfa-device --user-name james.bond --serial-number "$DEVICE" --authentication-code1 "$FIRST" --authentication-code2 "$SECOND" --profile james
EMERGENCY=(aws sts assume-role --role-arn "arn:aws:iam::$ACCOUNT:role/emergency" --role-session-name bond --profile james)
refused AccessDenied "${EMERGENCY[@]}"
note "(a code is accepted once; the next one is accepted up to half a minute before its time)"
shown "${EMERGENCY[@]}" --serial-number "$DEVICE" --token-code "$THIRD" "# into the profile emergency"
profile emergency "$("${EMERGENCY[@]}" --serial-number "$DEVICE" --token-code "$THIRD")"
run aws iam create-user --user-name made-in-an-emergency --query User.Arn --profile emergency
note "(an hour later)"; advance 3601
refused ExpiredToken aws iam create-user --user-name too-late --profile emergency
run aws iam list-roles --query 'length(Roles)' --profile james
refused AccessDenied aws iam create-user --user-name not-he --profile james

say "8. Roles, service-linked roles, and what was recorded"
run aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com --query Role.Arn
refused UnmodifiableEntity aws iam attach-role-policy --role-name AWSServiceRoleForAutoScaling --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess
run aws iam list-roles --query 'Roles[].Arn'
run aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateUser --query 'Events[].[EventTime,Username,EventName,EventId]' --output text
note "The newest of them is the denial:"
shown aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateUser --max-results 1 --query 'Events[0].CloudTrailEvent' --output text "# a member a line"
aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateUser --max-results 1 --query 'Events[0].CloudTrailEvent' --output text | record
aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateUser | grep -q AccessDenied || fail "the denial is not recorded"
run iamd audit verify

say "The end"
note "Everything above was decided on real signatures by iamd, and is in its record."
