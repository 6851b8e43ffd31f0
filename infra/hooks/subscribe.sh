#!/bin/sh
# Subscribes the app's blob trigger to the storage account's events. Safe to repeat.
# Unverified: never run against Azure.
set -eu
: "${AZURE_RESOURCE_GROUP:?run through azd}" "${FUNCTION_APP_NAME:?}" "${EVENT_GRID_TOPIC_NAME:?}" "${STORAGE_ACCOUNT_NAME:?}"
subscription=$(az account show --query id --output tsv)
scope="/subscriptions/$subscription/resourceGroups/$AZURE_RESOURCE_GROUP/providers"

key=""
tries=0
while [ -z "$key" ]; do  # a cold app needs a while until its blob extension has a key
    key=$(az functionapp keys list --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
        --query systemKeys.blobs_extension --output tsv 2>/dev/null || true)
    tries=$((tries + 1))
    if [ "$tries" -gt 24 ]; then
        echo "The app has no key blobs_extension after 4 minutes: look at its log, then run azd deploy again." >&2
        exit 1
    fi
    [ -n "$key" ] || sleep 10
done

# The address carries the key, so it goes through a file that only this user can read.
body=$(mktemp)
trap 'rm -f "$body"' EXIT
cat > "$body" <<JSON
{"properties": {
  "destination": {"endpointType": "WebHook", "properties": {"endpointUrl":
    "https://$FUNCTION_APP_NAME.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.notice_blob&code=$key"}},
  "filter": {
    "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
    "subjectBeginsWith": "/blobServices/default/containers/datasets/blobs/",
    "advancedFilters": [{"operatorType": "StringIn", "key": "data.api",
      "values": ["PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose", "SftpCommit"]}]},
  "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
  "deadLetterWithResourceIdentity": {
    "identity": {"type": "SystemAssigned"},
    "deadLetterDestination": {"endpointType": "StorageBlob", "properties": {
      "resourceId": "$scope/Microsoft.Storage/storageAccounts/$STORAGE_ACCOUNT_NAME",
      "blobContainerName": "dead-letters"}}}}}
JSON
az rest --method put --output none --body "@$body" --url \
    "https://management.azure.com$scope/Microsoft.EventGrid/systemTopics/$EVENT_GRID_TOPIC_NAME/eventSubscriptions/droptune?api-version=2025-02-15"
echo "Blobs written to the container datasets reach the app now."
