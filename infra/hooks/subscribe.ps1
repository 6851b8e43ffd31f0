# Subscribes the app's blob trigger to the storage account's events. Safe to repeat.
# Unverified: never run against Azure.
$ErrorActionPreference = 'Stop'
foreach ($name in 'AZURE_RESOURCE_GROUP', 'FUNCTION_APP_NAME', 'EVENT_GRID_TOPIC_NAME', 'STORAGE_ACCOUNT_NAME') {
    if (-not [Environment]::GetEnvironmentVariable($name)) { throw "$name is not set: run through azd" }
}
$subscription = az account show --query id --output tsv
$scope = "/subscriptions/$subscription/resourceGroups/$env:AZURE_RESOURCE_GROUP/providers"

$key = ''
for ($try = 0; -not $key; $try++) {  # a cold app needs a while until its blob extension has a key
    if ($try -gt 24) { throw 'The app has no key blobs_extension after 4 minutes: look at its log, then run azd deploy again.' }
    if ($try -gt 0) { Start-Sleep -Seconds 10 }
    $key = az functionapp keys list --resource-group $env:AZURE_RESOURCE_GROUP --name $env:FUNCTION_APP_NAME --query systemKeys.blobs_extension --output tsv 2>$null
}

# The address carries the key, so it goes through a file that only this user can read.
$body = New-TemporaryFile
try {
    @{ properties = @{
        destination = @{ endpointType = 'WebHook'; properties = @{ endpointUrl = "https://$env:FUNCTION_APP_NAME.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.notice_blob&code=$key" } }
        filter = @{
            includedEventTypes = @('Microsoft.Storage.BlobCreated')
            subjectBeginsWith = '/blobServices/default/containers/datasets/blobs/'
            advancedFilters = @(@{ operatorType = 'StringIn'; key = 'data.api'; values = @('PutBlob', 'PutBlockList', 'CopyBlob', 'FlushWithClose', 'SftpCommit') })
        }
        retryPolicy = @{ maxDeliveryAttempts = 30; eventTimeToLiveInMinutes = 1440 }
        deadLetterWithResourceIdentity = @{
            identity = @{ type = 'SystemAssigned' }
            deadLetterDestination = @{ endpointType = 'StorageBlob'; properties = @{ resourceId = "$scope/Microsoft.Storage/storageAccounts/$env:STORAGE_ACCOUNT_NAME"; blobContainerName = 'dead-letters' } }
        }
    } } | ConvertTo-Json -Depth 10 | Set-Content $body
    az rest --method put --output none --body "@$body" --url "https://management.azure.com$scope/Microsoft.EventGrid/systemTopics/$env:EVENT_GRID_TOPIC_NAME/eventSubscriptions/droptune?api-version=2025-02-15"
} finally { Remove-Item $body }
Write-Output 'Blobs written to the container datasets reach the app now.'
