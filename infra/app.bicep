// The Function App on Flex Consumption, keyless.
param name string
param location string
param tags object
param storageName string
param identityId string
param identityClientId string
param openAiEndpoint string
param openAiResourceId string
param insightsConnectionString string
param taskHubName string
param alwaysReady int
param authClientId string

@description('Ceilings of the installation, by the name of their setting; an empty one is not set.')
param ceilings object

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

var endpoints = storage.properties.primaryEndpoints
var identitySettings = {
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__blobServiceUri: endpoints.blob
  AzureWebJobsStorage__queueServiceUri: endpoints.queue
  AzureWebJobsStorage__tableServiceUri: endpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  DATA_STORAGE__blobServiceUri: endpoints.blob
  DATA_STORAGE__queueServiceUri: endpoints.queue
  DATA_STORAGE__credential: 'managedidentity'
  DATA_STORAGE__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}
var appSettings = {
  AZURE_FUNCTIONS_DURABLE_STRICT_TYPING: '1'
  TASK_HUB_NAME: taskHubName
  AZURE_OPENAI_ENDPOINT: openAiEndpoint
  AZURE_OPENAI_RESOURCE_ID: openAiResourceId
}
var setCeilings = toObject(
  filter(items(ceilings), entry => !empty(entry.value)),
  entry => entry.key,
  entry => entry.value
)

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${endpoints.blob}deployment'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
        alwaysReady: alwaysReady > 0 ? [{ name: 'durable', instanceCount: alwaysReady }] : []
      }
      runtime: { name: 'python', version: '3.13' }
    }
    siteConfig: { minTlsVersion: '1.2', ftpsState: 'Disabled' }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(identitySettings, appSettings, setCeilings)
  }

  resource auth 'config' = if (!empty(authClientId)) {
    name: 'authsettingsV2'
    properties: {
      globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: authClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
